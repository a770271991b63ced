/** Frames of the launcher protocol: four bytes of big-endian length, then that many bytes of UTF-8 JSON, one object. */
import {LAUNCHER_MAX_FRAME} from '@wherry/api';
import {DaemonError} from '../errors.ts';
import {HeldBytes} from './held-bytes.ts';
import {parseUntrusted, valuesIn} from './untrusted-json.ts';

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

const parseBody = (body: Uint8Array): JsonObject => {
  const value = parseUntrusted(body, 'the launcher');
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
  readonly #admit: (values: number) => void;
  readonly #held = new HeldBytes();

  /** @param admit is told how many values a frame has before they are made; it throws where they are too many */
  constructor(admit: (values: number) => void = () => {}) {
    this.#admit = admit;
  }

  /** The objects that this chunk completes. @throws DaemonError PROTOCOL; the stream is useless from there on */
  push(chunk: Buffer): JsonObject[] {
    this.#held.push(chunk);
    const messages: JsonObject[] = [];
    for (;;) {
      const length = this.#length();
      if (length === undefined || this.#held.length < PREFIX + length) return messages;
      const body = this.#held.take(PREFIX + length).subarray(PREFIX);
      this.#admit(valuesIn(body));
      messages.push(parseBody(body));
    }
  }

  /** How many buffers hold what has come of a frame. */
  get chunks(): number {
    return this.#held.chunks;
  }

  #length(): number | undefined {
    if (this.#held.length < PREFIX) return undefined;
    const length = this.#held.first(PREFIX).readUInt32BE();
    if (length > LAUNCHER_MAX_FRAME)
      throw new DaemonError('PROTOCOL', `the launcher announced a frame of ${length} bytes`);
    return length;
  }
}
