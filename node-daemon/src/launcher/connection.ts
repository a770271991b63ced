/** One connection to a launcher: requests with answers, and its events. */
import type {Duplex} from 'node:stream';
import {
  LAUNCHER_PROTOCOL,
  type LauncherErrorCode,
  type LauncherHello,
  type LauncherRequest,
  type LauncherStatus,
} from '@wherry/api';
import {DaemonError, messageOf as textOf} from '../errors.ts';
import {encodeFrame, FrameDecoder, type JsonObject} from './frames.ts';
import {
  type EngineReply,
  firstOf,
  helloOf,
  type Message,
  messageOf,
  type NumberedEvent,
  replyOf,
  statusOf,
} from './shapes.ts';
import {TokenBucket} from './token-bucket.ts';
import {MAX_VALUES} from './untrusted-json.ts';

/** The launcher refused; `refusal` is its own code. */
export class RefusedError extends DaemonError {
  readonly refusal: LauncherErrorCode;

  constructor(op: string, refusal: LauncherErrorCode, message: string) {
    super('REFUSED', `the launcher refused ${op} (${refusal}): ${message}`);
    this.refusal = refusal;
  }
}

export interface ConnectionOptions {
  /** Called for each event, in order. Must not throw. */
  readonly onEvent: (event: NumberedEvent) => void;
  /** Called once, when the connection has ended; with the fault of the peer, if it was one. Must not throw. */
  readonly onClose: (error: DaemonError | undefined) => void;
  /** Local, never set back, in milliseconds. */
  readonly monotonic: () => number;
  /** For one answer, in milliseconds. Defaults to 5000. */
  readonly timeoutMs?: number;
}

type Request = LauncherRequest extends infer R ? (R extends {id: number} ? Omit<R, 'id'> : never) : never;

interface Waiting {
  readonly op: string;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (ok: JsonObject) => void;
  readonly reject: (error: DaemonError) => void;
}

const DEFAULT_TIMEOUT_MS = 5000;

/**
 * What a launcher may say unasked, and how many bytes in all. A guest under load causes a few events a second, and the
 * largest answers are some hundred KiB; one launcher that floods must not keep the daemon from the other guests.
 */
const UNASKED = {burst: 1024, perSecond: 200};
const BYTES = {burst: 8 * 1024 * 1024, perSecond: 2 * 1024 * 1024};
/** Values of JSON: so many a second take some 5 ms of it. */
const VALUES = {burst: 2 * MAX_VALUES, perSecond: MAX_VALUES / 2};
/** Bytes of requests that wait for a launcher that does not read. */
const MAX_UNREAD = 256 * 1024;

export class LauncherConnection {
  readonly #stream: Duplex;
  readonly #options: ConnectionOptions;
  readonly #decoder: FrameDecoder;
  readonly #waiting = new Map<number, Waiting>();
  readonly #unasked: TokenBucket;
  readonly #bytes: TokenBucket;
  #nextId = 1;
  #fault: DaemonError | undefined;
  #open = true;

  /** Takes the stream over: it is destroyed with the connection. */
  constructor(stream: Duplex, options: ConnectionOptions) {
    this.#stream = stream;
    this.#options = options;
    const {monotonic} = options;
    this.#unasked = new TokenBucket({...UNASKED, monotonic});
    this.#bytes = new TokenBucket({...BYTES, monotonic});
    const values = new TokenBucket({...VALUES, monotonic});
    this.#decoder = new FrameDecoder(count => {
      if (!values.take(count)) throw flood('values');
    });
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A socket always closes after an error.
    stream.on('error', error => {
      this.#fault ??= new DaemonError('CONNECTION_CLOSED', `the launcher's connection broke: ${error.message}`);
    });
    stream.on('end', () => stream.destroy());
    stream.on('close', () => this.#closed());
  }

  get open(): boolean {
    return this.#open;
  }

  hello(): Promise<LauncherHello> {
    return this.#request({op: 'hello', protocol: LAUNCHER_PROTOCOL}).then(helloOf);
  }

  status(): Promise<LauncherStatus> {
    return this.#request({op: 'status'}).then(statusOf);
  }

  /** Events from this sequence number on; resolves with the first that will come. */
  subscribe(from: number): Promise<number> {
    return this.#request({op: 'subscribe', from}).then(firstOf);
  }

  engine(command: {readonly execute: string; readonly arguments?: object}): Promise<EngineReply> {
    return this.#request({op: 'engine', command}).then(replyOf);
  }

  async shutdown(graceSeconds: number): Promise<void> {
    await this.#request({op: 'shutdown', graceSeconds});
  }

  async kill(): Promise<void> {
    await this.#request({op: 'kill'});
  }

  close(): void {
    this.#stream.destroy();
  }

  /** @throws DaemonError REFUSED, TIMED_OUT, CONNECTION_CLOSED, PROTOCOL */
  #request(request: Request): Promise<JsonObject> {
    const {promise, resolve, reject} = Promise.withResolvers<JsonObject>();
    if (!this.#open) {
      reject(closed(request.op, this.#fault));
      return promise;
    }
    const id = this.#nextId++;
    const timer = setTimeout(() => {
      this.#waiting.delete(id);
      reject(new DaemonError('TIMED_OUT', `the launcher did not answer ${request.op} in time`));
    }, this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#waiting.set(id, {op: request.op, timer, resolve, reject});
    this.#stream.write(encodeFrame({id, ...request}));
    if (this.#stream.writableLength > MAX_UNREAD)
      this.#fail(new DaemonError('PROTOCOL', 'the launcher does not read what it is asked: it is connected to anew'));
    return promise;
  }

  #receive(chunk: Buffer): void {
    // What was read already may still come while the stream is being destroyed.
    if (this.#fault !== undefined) return;
    try {
      if (!this.#bytes.take(chunk.length)) throw flood('bytes');
      for (const frame of this.#decoder.push(chunk)) this.#dispatch(messageOf(frame));
    } catch (error) {
      this.#fail(error instanceof DaemonError ? error : new DaemonError('PROTOCOL', textOf(error), {cause: error}));
    }
  }

  #fail(fault: DaemonError): void {
    this.#fault ??= fault;
    this.#stream.destroy();
  }

  #dispatch(message: Message): void {
    const waiting = message.at === 'event' ? undefined : this.#waiting.get(message.id);
    if (waiting === undefined && !this.#unasked.take(1)) throw flood('events');
    if (message.at === 'event') {
      this.#options.onEvent(message.event);
      return;
    }
    // An answer that came after its time-out is nobody's.
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.at === 'answer') waiting.resolve(message.ok);
    else waiting.reject(new RefusedError(waiting.op, message.code, message.message));
  }

  #closed(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const {op, timer, reject} of this.#waiting.values()) {
      clearTimeout(timer);
      reject(closed(op, this.#fault));
    }
    this.#waiting.clear();
    this.#options.onClose(this.#fault);
  }
}

const flood = (what: string): DaemonError =>
  new DaemonError('PROTOCOL', `the launcher sent more ${what} than it may: it is connected to anew`);

const closed = (op: string, fault: DaemonError | undefined): DaemonError =>
  fault ?? new DaemonError('CONNECTION_CLOSED', `the launcher closed its connection before it answered ${op}`);
