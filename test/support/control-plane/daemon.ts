import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

/** A server process of a test. It ends with the test process, however that ends. */
export class Daemon {
  readonly name: string;
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #log: string;
  #child: ChildProcess | undefined;

  /** Its output goes to `<folder>/<name>.log`. */
  constructor(name: string, program: string, args: readonly string[], folder: string) {
    this.name = name;
    this.#program = program;
    this.#args = args;
    this.#log = join(folder, `${name}.log`);
  }

  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  start(): void {
    if (this.running) return;
    const log = openSync(this.#log, 'a');
    // setpriv, so that a test run that is killed leaves nothing behind.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', this.#program, ...this.#args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
  }

  /** Kills it: what is tested here must live with a server that ends without a word. */
  async stop(): Promise<void> {
    if (!this.running) return;
    const ended = once(this.#child!, 'exit');
    this.#child!.kill('SIGKILL');
    await ended;
  }

  /** The end of its log. */
  async log(): Promise<string> {
    const text = await readFile(this.#log, 'utf8').catch(() => '(no log)');
    return text.split('\n').slice(-20).join('\n');
  }
}

/** Waits up to a minute for `condition`, which may throw while it does not hold; gives up at once when `daemon` ends. */
export async function until(what: string, daemon: Daemon, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  let last: unknown;
  while (performance.now() < deadline) {
    if (!daemon.running) throw new Error(`${daemon.name} ended before ${what}:\n${await daemon.log()}`);
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`${what}: not within 60 s:\n${await daemon.log()}`, {cause: last});
}
