/** A client of QEMU's guest agent, which runs programs in the lab node. */
import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {createInterface, type Interface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';

/** How a program in the node ended. */
export interface Ended {
  /** 128 + the number of the signal, where one ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Between two looks at a program that runs. */
const POLL_MS = 100;
const SYNC_EVERY_MS = 500;
/** What the agent reads at once. */
const CHUNK_BYTES = 1024 ** 2;

export class GuestAgent {
  readonly #socket: Socket;
  readonly #lines: Interface;
  /** The agent answers in order. */
  readonly #waiting: Waiting[] = [];
  /** Takes all answers while both sides find their place. */
  #hear: ((value: unknown) => void) | undefined;
  #ended: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = createInterface({input: socket});
    this.#lines.on('line', line => this.#answer(line));
    // Passed on by the lines as well.
    this.#lines.on('error', error => this.#end(error));
    socket.on('error', error => this.#end(error));
    socket.on('close', () => this.#end(new Error('the agent hung up')));
  }

  /**
   * @param path of the unix socket
   * @throws the signal's reason when the agent has not answered by then
   */
  static async connect(path: string, signal: AbortSignal): Promise<GuestAgent> {
    const socket = connect(path);
    await once(socket, 'connect', {signal});
    const agent = new GuestAgent(socket);
    try {
      await agent.#sync(signal);
      return agent;
    } catch (error) {
      agent.close();
      throw error;
    }
  }

  /** Runs a program to its end, which is its caller's to bound. @throws Error where it cannot be started */
  async run(path: string, args: readonly string[], env: readonly string[], signal: AbortSignal): Promise<Ended> {
    const started = {path, arg: args, env, 'capture-output': true};
    const {pid} = (await this.#ask('guest-exec', started)) as {pid: number};
    for (;;) {
      signal.throwIfAborted();
      const status = (await this.#ask('guest-exec-status', {pid})) as ExecStatus;
      if (status.exited) return endedAs(status);
      await sleep(POLL_MS, undefined, {signal});
    }
  }

  /** A file of the node, whole. */
  async read(path: string): Promise<Buffer> {
    const handle = await this.#ask('guest-file-open', {path, mode: 'r'});
    try {
      const parts: Buffer[] = [];
      for (;;) {
        const read = (await this.#ask('guest-file-read', {handle, count: CHUNK_BYTES})) as FileRead;
        parts.push(Buffer.from(read['buf-b64'], 'base64'));
        if (read.eof) return Buffer.concat(parts);
      }
    } finally {
      await this.#ask('guest-file-close', {handle});
    }
  }

  close(): void {
    this.#lines.close();
    this.#socket.destroy();
  }

  /** Says numbers until one comes back, for what was said before the agent listened is lost; then only the last counts. */
  async #sync(signal: AbortSignal): Promise<void> {
    const heard = new Set<unknown>();
    this.#hear = value => void heard.add(value);
    let id = 0;
    for (; heard.size === 0; await sleep(SYNC_EVERY_MS, undefined, {signal})) this.#say('guest-sync', {id: ++id});
    this.#say('guest-sync', {id: ++id});
    for (; !heard.has(id); await sleep(POLL_MS, undefined, {signal})) if (this.#ended) throw this.#ended;
    this.#hear = undefined;
  }

  #ask(execute: string, args: object): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const {promise, resolve, reject} = Promise.withResolvers<unknown>();
    this.#waiting.push({resolve, reject});
    this.#say(execute, args);
    return promise;
  }

  #say(execute: string, args: object): void {
    this.#socket.write(`${JSON.stringify({execute, arguments: args})}\n`);
  }

  #answer(line: string): void {
    const answer = JSON.parse(line) as {return?: unknown; error?: {desc: string}};
    if (this.#hear) return this.#hear(answer.return);
    const waiting = this.#waiting.shift();
    if (answer.error) waiting?.reject(new Error(`the agent: ${answer.error.desc}`));
    else waiting?.resolve(answer.return);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const {reject} of this.#waiting.splice(0)) reject(this.#ended);
  }
}

interface ExecStatus {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly signal?: number;
  readonly 'out-data'?: string;
  readonly 'err-data'?: string;
}

interface FileRead {
  readonly 'buf-b64': string;
  readonly eof: boolean;
}

const endedAs = ({exitcode, signal = 0, 'out-data': out = '', 'err-data': err = ''}: ExecStatus): Ended => ({
  status: exitcode ?? 128 + signal,
  stdout: Buffer.from(out, 'base64').toString(),
  stderr: Buffer.from(err, 'base64').toString(),
});
