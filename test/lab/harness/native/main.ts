/**
 * `node main.mjs SCENARIO OUTCOME`, in a lab node: starts the native engine as a launcher does, with open descriptors, and goes
 * through the steps of a scenario. It needs nothing but Node.js, and koffi beside it where there are taps.
 */
import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {openSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import type {Socket} from 'node:net';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';
import {openDevice} from './open.ts';
import type {Outcome, Scenario, Step, Use} from './scenario.ts';

const STEP_MS = 60_000;

interface Message {
  readonly event?: string;
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: unknown;
}

class Guest {
  readonly events: string[] = [];
  console = '';
  log = '';
  readonly #engine: ChildProcess;
  readonly #control: Socket;
  readonly #serial: Socket;
  readonly #dead = new AbortController();
  readonly #answers = new Map<number, unknown>();
  readonly #fresh: Message[] = [];
  #heard = 0;
  #ids = 0;

  constructor(scenario: Scenario) {
    const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'ignore', 'pipe'];
    const pass = (what: 'pipe' | number): number => stdio.push(what) - 1;
    const open = (path: string, flags = 'r'): number => pass(openSync(path, flags));
    const kvm = open('/dev/kvm', 'r+');
    const control = pass('pipe');
    const serial = pass('pipe');
    const {kernel, initrd, commandLine, memoryMiB, cpus, devices, sparePorts} = scenario;
    const machine = {
      memory: memoryMiB * 1024 ** 2,
      cpus,
      ...(sparePorts !== undefined && {sparePorts}),
      kvm,
      control,
      serial,
      boot: {kernel: open(kernel), ...(initrd !== undefined && {initrd: open(initrd)}), commandLine},
      devices: devices.map(device => openDevice(device, pass)),
    };
    this.#engine = spawn(scenario.vmm, [JSON.stringify(machine)], {stdio});
    this.#control = this.#engine.stdio[control] as Socket;
    this.#serial = this.#engine.stdio[serial] as Socket;
    this.#engine.once('exit', () => this.#dead.abort(new Error('the engine has ended')));
    this.#engine.stderr?.on('data', (data: Buffer) => (this.log += data.toString()));
    this.#serial.on('data', (data: Buffer) => (this.console += data.toString('latin1')));
    const lines = createInterface({input: this.#control});
    lines.on('line', line => this.#hear(JSON.parse(line) as Message));
    // Its end is told by other means.
    for (const source of [this.#control, this.#serial, lines]) source.on('error', () => undefined);
    this.#say('qmp_capabilities');
    this.#say('cont');
  }

  kill(): void {
    this.#engine.kill('SIGKILL');
  }

  async do(step: Step): Promise<unknown> {
    if ('type' in step) return void this.#serial.write(step.type);
    if ('use' in step) return use(this.#engine.pid!);
    if ('inject' in step) return inject(this.#engine.pid!, step.inject);
    const patience = step.timeoutMs ?? STEP_MS;
    if ('run' in step) {
      const [program = '', ...args] = step.run;
      return (await promisify(execFile)(program, args, {timeout: patience})).stdout;
    }
    if ('expect' in step) return this.#until(patience, [this.#serial, 'data'], () => this.#match(step.expect));
    if ('event' in step) return this.#until(patience, [this.#control, 'data'], () => this.#event(step.event));
    if ('command' in step) {
      const id = this.#say(step.command, step.arguments);
      return this.#until(patience, [this.#control, 'data'], () => this.#answers.get(id));
    }
    return this.#until(patience, [this.#engine, 'exit'], () => this.#engine.exitCode ?? this.#engine.signalCode);
  }

  async #until<T>(patience: number, [source, event]: [Socket | ChildProcess, string], look: () => T): Promise<T> {
    const timeout = AbortSignal.timeout(patience);
    const signal = source === this.#engine ? timeout : AbortSignal.any([timeout, this.#dead.signal]);
    for (;;) {
      const found = look();
      if (found !== undefined && found !== null) return found;
      signal.throwIfAborted();
      // A stream tells its own listeners first, so that what came has been noted.
      await once(source, event, {signal});
    }
  }

  #say(execute: string, args: object = {}): number {
    const id = ++this.#ids;
    this.#control.write(`${JSON.stringify({execute, arguments: args, id})}\n`);
    return id;
  }

  #hear(message: Message): void {
    if (message.event !== undefined) {
      this.events.push(message.event);
      this.#fresh.push(message);
    } else if (message.id !== undefined) {
      this.#answers.set(message.id, message.return ?? {error: message.error});
    }
  }

  #match(pattern: string): string | undefined {
    const found = new RegExp(pattern, 'm').exec(this.console.slice(this.#heard));
    if (found === null) return undefined;
    this.#heard += found.index + found[0].length;
    return found[1] ?? found[0];
  }

  #event(name: string): Message | undefined {
    const index = this.#fresh.findIndex(({event}) => event === name);
    return index === -1 ? undefined : this.#fresh.splice(0, index + 1).at(-1);
  }
}

/** The guest's RAM is a mapping of its own, by this name. */
const RAM = 'memfd:guest-ram';

function use(pid: number): Use {
  const of = `/proc/${pid}`;
  let besideKiB = 0;
  let isRam = false;
  for (const line of readFileSync(`${of}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isRam = line.includes(RAM);
    const pss = /^Pss: +(\d+) kB/.exec(line);
    if (pss !== null && !isRam) besideKiB += Number(pss[1]);
  }
  const threads = readdirSync(`${of}/task`).map(one => readFileSync(`${of}/task/${one}/comm`, 'utf8').trim());
  return {besideKiB, threads, descriptors: readdirSync(`${of}/fd`).length};
}

/** By a program of its own: only the thread that follows another one may speak for it, and the engine is this one's child. */
async function inject(pid: number, {thread, call}: {thread: string; call: string}): Promise<string> {
  const program = join(import.meta.dirname, 'inject.mjs');
  return (await promisify(execFile)(process.execPath, [program, String(pid), thread, call], {timeout: STEP_MS})).stdout;
}

const [scenarioPath = '', outcomePath = ''] = process.argv.slice(2);
const scenario = JSON.parse(readFileSync(scenarioPath, 'utf8')) as Scenario;
const started = performance.now();
const guest = new Guest(scenario);
const results: unknown[] = [];
const seconds: number[] = [];
let problem: string | undefined;
try {
  for (const step of scenario.steps) {
    results.push((await guest.do(step)) ?? null);
    seconds.push(Math.round((performance.now() - started) / 100) / 10);
  }
} catch (error) {
  problem = `step ${seconds.length + 1}: ${String(error)}`;
}
// What the engine has written last is still on its way.
await new Promise(resolve => setTimeout(resolve, 100));
const {console: said, events, log} = guest;
const outcome: Outcome = {results, ...(problem !== undefined && {problem}), console: said, events, log, seconds};
writeFileSync(outcomePath, JSON.stringify(outcome));
guest.kill();
process.exit(0);
