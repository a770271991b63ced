import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import type {VirtualMachineInstance} from '@wherry/api';
import type {Engine} from '@wherry/node-daemon';
import {eventually} from '../support/eventually.ts';
import type {FakeVmPod} from '../support/fake-node.ts';
import {ShellQuestion} from '../support/shell-question.ts';
import type {Stage} from './stage.ts';

/** What the guest says of itself over its network. */
export interface Info {
  /** Changes with every boot, and with nothing else. */
  readonly bootId: string;
  /** Seconds. */
  readonly uptime: number;
}

/** A machine that is under load, or emulated, takes its time: nothing here is about speed. */
const PATIENCE_MS = 180_000;

const prompt = /wherry-tiny: up after[^]*:~# /;

/** One guest and all who know something about it. */
export class Guest {
  readonly name: string;
  readonly pod: FakeVmPod;
  readonly #stage: Stage;

  constructor(name: string, pod: FakeVmPod, stage: Stage) {
    this.name = name;
    this.pod = pod;
    this.#stage = stage;
  }

  get instance(): VirtualMachineInstance {
    return this.#stage.api.instance(this.name);
  }

  condition(type: string): string | undefined {
    return this.instance.status?.conditions?.find(one => one.type === type)?.status;
  }

  /** As the daemon holds it. @throws Error while it does not hold it */
  get engine(): Engine {
    return this.#held.link.engine;
  }

  get view() {
    return this.#held.link.view;
  }

  get #held() {
    const held = this.#stage.daemon.guests.guests.find(({key}) => key.name === this.name);
    if (held === undefined) throw new Error(`the daemon holds no guest ${this.name}`);
    return held;
  }

  /** The disk that a claim of the guest holds. */
  claimFile(claim: string): string {
    return this.pod.claimFile(claim);
  }

  get launcherPid(): number {
    return this.#held.link.process.pid;
  }

  /** The engine's process on this machine. */
  async enginePid(): Promise<number> {
    const pid = this.launcherPid;
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean);
    assert.equal(children.length, 1, `the launcher has the children ${children.join(', ')}`);
    return Number(children[0]);
  }

  async engineArgs(): Promise<readonly string[]> {
    return (await readFile(`/proc/${await this.enginePid()}/cmdline`, 'utf8')).split('\0');
  }

  /** Waits until `check` does not throw. */
  until<T>(check: () => T | Promise<T>): Promise<T> {
    return eventually(check, {timeoutMs: PATIENCE_MS, everyMs: 200});
  }

  running(): Promise<void> {
    return this.until(() => assert.equal(this.instance.status?.phase, 'Running'));
  }

  /** Waits for the prompt on the serial console, in what came after `from`. */
  async login(from = 0): Promise<void> {
    await this.until(() => {
      if (!prompt.test(this.pod.console.slice(from))) throw new Error('the guest has not booted');
    });
  }

  async info(): Promise<Info> {
    const response = await fetch(`http://${this.pod.network.pod}/cgi-bin/info`, {signal: AbortSignal.timeout(5000)});
    return (await response.json()) as Info;
  }

  /** Waits for an answer over the network, of another boot than `before` where that is given. */
  answers(before?: Info): Promise<Info> {
    return this.until(async () => {
      const info = await this.info();
      assert.notEqual(info.bootId, before?.bootId, 'the guest has not booted again');
      return info;
    });
  }

  /** Runs a shell command at the guest's console and returns what it printed. */
  async shell(command: string): Promise<string> {
    const from = this.pod.console.length;
    const question = new ShellQuestion(command);
    this.pod.type(question.line);
    const {said, status} = await this.until(() => {
      const answer = question.answerIn(this.pod.console.slice(from));
      if (answer === undefined) throw new Error(`no answer to ${command}: ${this.pod.console.slice(-600)}`);
      return answer;
    });
    assert.equal(status, 0, `${command} ended with ${status}: ${said}`);
    return said;
  }

  /** Resolves when the end of the engine is in the status. */
  async over(): Promise<void> {
    await this.until(() => assert.equal(this.condition('wherry.dev/EngineActive'), 'False'));
  }
}
