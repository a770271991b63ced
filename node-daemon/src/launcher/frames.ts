/** Frames of the launcher protocol: four bytes of big-endian length, then that many bytes of UTF-8 JSON, one object. */
import {LAUNCHER_MAX_FRAME} from '@wherry/api';
import {DaemonError} from '../errors.ts';

const PREFIX = 4;

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws DaemonError PROTOCOL above the protocol's limit */
export const encodeFrame = (message: object): Uint8Array => {
  const body = Buffer.from(JSON.stringify(message));
  if (body.length > LAUNCHER_MAX_FRAME)
    throw new DaemonError('PROTOCOL', `a request of ${body.length} bytes is above the limit of ${LAUNCHER_MAX_FRAME}`);
  const frame = Buffer.allocUnsafe(PREFIX + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, PREFIX);
  return frame;
};

const strictUtf8 = new TextDecoder('utf-8', {fatal: true});

const parseBody = (body: Uint8Array): JsonObject => {
  let value: unknown;
  try {
    value = JSON.parse(strictUtf8.decode(body));
  } catch (error) {
    throw new DaemonError('PROTOCOL', 'the launcher sent a frame that is no JSON', {cause: error});
  }
  if (!isObject(value)) throw new DaemonError('PROTOCOL', 'the launcher sent a frame that is no JSON object');
  return value;
};

/** One whole frame, length prefix included. @throws DaemonError PROTOCOL */
export const decodeFrame = (frame: Uint8Array): JsonObject => {
  const [message, ...more] = new FrameDecoder().push(Buffer.from(frame));
  if (message === undefined || more.length > 0)
    throw new DaemonError('PROTOCOL', 'the launcher sent less or more than one frame');
  return message;
};

/**
 * Cuts a byte stream from an untrusted peer into objects. It holds at most one frame, and only what was received of it:
 * a length alone reserves nothing.
 */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #held = 0;

  /** The objects that this chunk completes. @throws DaemonError PROTOCOL; the stream is useless from there on */
  push(chunk: Buffer): JsonObject[] {
    this.#keep(chunk);
    const messages: JsonObject[] = [];
    for (;;) {
      const length = this.#length();
      if (length === undefined || this.#held < PREFIX + length) return messages;
      messages.push(parseBody(this.#take(PREFIX + length).subarray(PREFIX)));
    }
  }

  /** How many buffers hold what has come of a frame. */
  get chunks(): number {
    return this.#chunks.length;
  }

  /**
   * Each kept chunk has at least twice the length of the next. A frame that comes byte by byte is so held in a few
   * buffers, not in one for each byte, and each of its bytes is copied a few times at most.
   */
  #keep(chunk: Buffer): void {
    this.#held += chunk.length;
    let last = chunk;
    for (let before = this.#chunks.at(-1); before !== undefined && before.length < 2 * last.length; ) {
      last = Buffer.concat([before, last]);
      this.#chunks.pop();
      before = this.#chunks.at(-1);
    }
    if (last.length > 0) this.#chunks.push(last);
  }

  #length(): number | undefined {
    if (this.#held < PREFIX) return undefined;
    const [first] = this.#chunks;
    if (first === undefined || first.length < PREFIX) this.#join();
    const length = this.#chunks[0]?.readUInt32BE() ?? 0;
    if (length > LAUNCHER_MAX_FRAME)
      throw new DaemonError('PROTOCOL', `the launcher announced a frame of ${length} bytes`);
    return length;
  }

  #take(bytes: number): Buffer {
    this.#join();
    const whole = this.#chunks[0] ?? Buffer.alloc(0);
    const rest = whole.subarray(bytes);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
    return whole.subarray(0, bytes);
  }

  #join(): void {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
  }
}
