/** What the guest agent says: questions over its socket, answers checked, all in bounded time. */
import {Socket} from 'node:net';
import type {Duplex} from 'node:stream';
import {type GuestOsInfo, PodLayout} from '@wherry/api';
import type {Dir, Host} from '@wherry/native';
import {AGENT_SOCKET} from '../engine/qemu/machine-type.ts';
import {DaemonError} from '../errors.ts';
import {isObject} from '../launcher/frames.ts';
import {HeldBytes} from '../launcher/held-bytes.ts';
import {isPlainText} from '../launcher/plain-text.ts';
import {parseUntrusted} from '../launcher/untrusted-json.ts';
import type {AgentFacts} from './status.ts';

/** An agent that has just started answers within milliseconds; under emulation it may take a second. */
const TIMEOUT_MS = 5000;
const MAX_ANSWER = 256 * 1024;
const MAX_TEXT = 253;

/** What former questions may have left to be read: more of it is no agent. */
const MAX_STALE = 16;

/** Ends an answer to `guest-sync-delimited`, and what a half-read question left before it. */
const DELIMITER = 0xff;
const LINE_END = 0x0a;

/** @throws DaemonError TIMED_OUT, PROTOCOL, CONNECTION_CLOSED; NativeError where nothing listens */
export const askAgent = async (host: Host, folder: Dir, signal: AbortSignal): Promise<AgentFacts> => {
  const {fd, peer} = host.connectUnix(folder, AGENT_SOCKET);
  const socket = new Socket({fd, readable: true, writable: true});
  if (peer.uid !== PodLayout.user) {
    socket.destroy();
    throw new DaemonError('PROTOCOL', `the agent's socket is served by uid ${peer.uid}, not ${PodLayout.user}`);
  }
  return converse(socket, Math.floor(performance.now()), signal);
};

/** Asks over this stream, and destroys it in the end, or when the signal aborts. */
export const converse = async (stream: Duplex, id: number, signal?: AbortSignal): Promise<AgentFacts> => {
  const stop = (): void => void stream.destroy();
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, {once: true});
  const answers = answersOf(stream);
  const ask = async (execute: string, args?: object): Promise<unknown> => {
    const sync = execute === 'guest-sync-delimited' ? Buffer.from([DELIMITER]) : Buffer.alloc(0);
    const text = JSON.stringify({execute, ...(args === undefined ? {} : {arguments: args})});
    stream.write(Buffer.concat([sync, Buffer.from(`${text}\n`)]));
    return answers.next();
  };
  try {
    await synchronize(ask('guest-sync-delimited', {id}), answers.next, id);
    return {
      os: osOf(await ask('guest-get-osinfo')),
      interfaceNames: namesOf(await ask('guest-network-get-interfaces')),
    };
  } finally {
    signal?.removeEventListener('abort', stop);
    answers.stop();
    stream.destroy();
  }
};

/** The delimiter itself is answered with an error, and so may be what somebody else has asked before. */
const synchronize = async (first: Promise<unknown>, next: () => Promise<unknown>, id: number): Promise<void> => {
  let answer = await first;
  for (let stale = 0; answer !== id; stale++) {
    if (stale === MAX_STALE) throw new DaemonError('PROTOCOL', 'the guest agent answers other questions');
    answer = await next();
  }
};

/** The `return` of one answer after the other, undefined for a refusal; each call waits for the next. */
const answersOf = (stream: Duplex): {next: () => Promise<unknown>; stop: () => void} => {
  const held = new HeldBytes();
  let waiting: PromiseWithResolvers<unknown> | undefined;
  let fault: DaemonError | undefined;
  const fail = (error: DaemonError): void => {
    fault ??= error;
    waiting?.reject(fault);
    waiting = undefined;
  };
  const timer = setTimeout(
    () => fail(new DaemonError('TIMED_OUT', 'the guest agent did not answer in time')),
    TIMEOUT_MS,
  );
  const deliver = (): void => {
    if (waiting === undefined) return;
    const end = held.whole().indexOf(LINE_END);
    if (end < 0) return;
    const line = held.take(end + 1).subarray(0, end);
    const {resolve} = waiting;
    waiting = undefined;
    resolve(returnOf(line.subarray(line.lastIndexOf(DELIMITER) + 1)));
  };
  stream.on('data', (chunk: Buffer) => {
    held.push(chunk);
    if (held.length > MAX_ANSWER) fail(new DaemonError('PROTOCOL', 'the guest agent says too much'));
    else if (chunk.includes(LINE_END)) deliver();
  });
  stream.on('error', () => {});
  const closed = (): void => fail(new DaemonError('CONNECTION_CLOSED', 'the guest agent closed its channel'));
  stream.on('end', closed);
  stream.on('close', closed);
  return {
    next: () => {
      if (fault !== undefined) return Promise.reject(fault);
      waiting = Promise.withResolvers();
      const {promise} = waiting;
      deliver();
      return promise;
    },
    stop: () => clearTimeout(timer),
  };
};

/** Undefined where the agent refuses, as it may have been told to, and for half an answer to somebody else. */
const returnOf = (line: Uint8Array): unknown => {
  try {
    const answer = parseUntrusted(line, 'the guest agent');
    return isObject(answer) ? answer['return'] : undefined;
  } catch {
    return undefined;
  }
};

const osFields = {
  id: 'id',
  name: 'name',
  prettyName: 'pretty-name',
  version: 'version',
  versionId: 'version-id',
  kernelRelease: 'kernel-release',
  kernelVersion: 'kernel-version',
  machine: 'machine',
} as const satisfies Record<keyof GuestOsInfo, string>;

/** A guest may say anything of itself: what is no short and plain text is left out. */
const text = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_TEXT && isPlainText(value);

const osOf = (answer: unknown): GuestOsInfo => {
  const said = isObject(answer) ? answer : {};
  const known = Object.entries(osFields).flatMap(([ours, theirs]) => {
    const value = said[theirs];
    return text(value) ? [[ours, value] as const] : [];
  });
  return Object.fromEntries(known);
};

const namesOf = (answer: unknown): ReadonlyMap<string, string> => {
  const list: unknown[] = Array.isArray(answer) ? answer.slice(0, 64) : [];
  return new Map(
    list.flatMap(one => {
      if (!isObject(one)) return [];
      const {name, 'hardware-address': mac} = one;
      return text(name) && text(mac) ? [[mac.toLowerCase(), name] as const] : [];
    }),
  );
};
