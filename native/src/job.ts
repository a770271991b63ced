/** The answers of calls that wait on a thread of the library (`native/ffi/src/job.rs`). */

import {Socket} from 'node:net';
import {NativeError, nativeErrorOf} from './errors.ts';

/** u32 error number, i32 errno, u32 message length, u32 body length, little-endian. */
const HEADER = 16;

/** Reads the one answer that the library writes to `fd`, which this takes over. */
export const readAnswer = async (fd: number): Promise<Buffer> => {
  const socket = new Socket({fd, readable: true, writable: false});
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return decodeAnswer(Buffer.concat(chunks));
};

/** The body of an answer. @throws the NativeError that the answer carries */
export const decodeAnswer = (answer: Buffer): Buffer => {
  if (answer.length < HEADER) throw new NativeError('Panicked', 'a thread of libwherry.so ended without an answer');
  const messageEnd = HEADER + answer.readUInt32LE(8);
  const bodyEnd = messageEnd + answer.readUInt32LE(12);
  if (answer.length !== bodyEnd) throw new NativeError('Panicked', 'a thread of libwherry.so ended in its answer');
  const number = answer.readUInt32LE(0);
  if (number !== 0) throw nativeErrorOf(number, answer.readInt32LE(4), answer.toString('utf8', HEADER, messageEnd));
  return answer.subarray(messageEnd, bodyEnd);
};
