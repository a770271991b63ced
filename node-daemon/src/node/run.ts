import {spawn} from 'node:child_process';
import type {Readable, Writable} from 'node:stream';
import {DaemonError} from '../errors.ts';

export interface RunOptions {
  /** Killed (SIGKILL) when it takes longer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Given to its standard input. Defaults to nothing. */
  readonly input?: string;
  /** Become its descriptors 3, 4, …; they stay the caller's. */
  readonly descriptors?: readonly number[];
}

/** Of each of its outputs, in characters. */
const MAX_OUTPUT = 65_536;

const collect = (stream: Readable): (() => string) => {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    if (text.length < MAX_OUTPUT) text += chunk;
  });
  return () => text;
};

/**
 * Runs a program of the node to its end and returns what it wrote to its standard output.
 * @throws DaemonError PROGRAM_FAILED with the end of what it wrote to its standard error
 */
export const run = async (program: string, args: readonly string[], options: RunOptions): Promise<string> => {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe', ...(options.descriptors ?? [])],
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
    ...(options.signal === undefined ? {} : {signal: options.signal}),
  });
  const [stdin, stdout, stderr] = child.stdio as unknown as [Writable, Readable, Readable];
  const output = collect(stdout);
  const errors = collect(stderr);
  const ended = Promise.withResolvers<{code: number | null; signal: string | null}>();
  child.once('error', ended.reject);
  child.once('close', (code, signal) => ended.resolve({code, signal}));
  // A program that ends without reading its input says why by other means.
  stdin.on('error', () => {});
  stdin.end(options.input ?? '');
  const said = (how: string): string => `${program} ${how}: ${errors().trim().slice(-1000) || 'it said nothing'}`;
  let result;
  try {
    result = await ended.promise;
  } catch (error) {
    throw new DaemonError('PROGRAM_FAILED', `${program} could not be run: check that the image has it`, {cause: error});
  }
  if (result.code === 0) return output();
  throw new DaemonError(
    'PROGRAM_FAILED',
    said(
      result.code === null
        ? `was ended by ${result.signal} after at most ${options.timeoutMs} ms`
        : `ended with code ${result.code}`,
    ),
  );
};
