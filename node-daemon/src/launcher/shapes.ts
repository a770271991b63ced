/**
 * What a launcher may say, checked field by field. It runs beside an untrusted guest: whatever is not exactly of the
 * protocol's shape ends the connection. Fields that a newer launcher adds are ignored.
 */
import {
  LAUNCHER_PROTOCOL,
  type LauncherErrorCode,
  type LauncherEvent,
  LauncherExit,
  type LauncherHello,
  type LauncherLease,
  type LauncherOutcome,
  type LauncherState,
  type LauncherStatus,
} from '@wherry/api';
import {DaemonError} from '../errors.ts';
import {isObject, type JsonObject} from './frames.ts';
import {plainText} from './plain-text.ts';

/** Longest text in characters that is taken from a launcher. */
const MAX_TEXT = 8192;
const MAX_LEASES = 64;

const states = ['Idle', 'Preparing', 'Starting', 'Running', 'Stopping'] as const satisfies readonly LauncherState[];
const outcomes = Object.keys(LauncherExit) as readonly LauncherOutcome[];
const errorCodes = [
  'BadRequest',
  'UnknownOp',
  'BadPlan',
  'NotStarted',
  'AlreadyStarted',
  'EngineGone',
  'StepFailed',
  'TooLarge',
] as const satisfies readonly LauncherErrorCode[];

const wrong = (field: string, wanted: string): DaemonError =>
  new DaemonError('PROTOCOL', `the launcher sent a wrong ${field}: ${wanted} is expected`);

const count = (from: JsonObject, field: string): number => {
  const value = from[field];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(field, 'a whole number');
  return value;
};

const text = (from: JsonObject, field: string): string => {
  const value = from[field];
  if (typeof value !== 'string' || value.length > MAX_TEXT) throw wrong(field, 'a short text');
  return plainText(value);
};

const word = <W extends string>(from: JsonObject, field: string, words: readonly W[]): W => {
  const found = words.find(one => one === from[field]);
  if (found === undefined) throw wrong(field, `one of ${words.join(', ')}`);
  return found;
};

const object = (from: JsonObject, field: string): JsonObject => {
  const value = from[field];
  if (!isObject(value)) throw wrong(field, 'an object');
  return value;
};

/** An optional field: absent and null are the same. */
const maybe = <K extends string, T>(
  from: JsonObject,
  field: K,
  read: (from: JsonObject, field: K) => T,
): {[P in K]?: T} =>
  from[field] === undefined || from[field] === null ? {} : ({[field]: read(from, field)} as {[P in K]?: T});

/** The launcher chooses a version that both sides speak. */
const version = (from: JsonObject, field: string): number => {
  const value = count(from, field);
  if (value < 1 || value > LAUNCHER_PROTOCOL) throw wrong(field, `a version from 1 to ${LAUNCHER_PROTOCOL}`);
  return value;
};

export const helloOf = (from: JsonObject): LauncherHello => ({
  protocol: version(from, 'protocol'),
  version: text(from, 'version'),
  uid: text(from, 'uid'),
  state: word(from, 'state', states),
  lastSeq: count(from, 'lastSeq'),
  ...maybe(from, 'planId', text),
});

const leaseOf = (from: JsonObject): LauncherLease => ({
  interface: text(from, 'interface'),
  mac: text(from, 'mac'),
  address: text(from, 'address'),
  ...maybe(from, 'hostname', text),
});

export const statusOf = (from: JsonObject): LauncherStatus => {
  const {leases} = from;
  if (!Array.isArray(leases) || leases.length > MAX_LEASES || !leases.every(isObject)) throw wrong('leases', 'a list');
  return {
    state: word(from, 'state', states),
    lastSeq: count(from, 'lastSeq'),
    leases: leases.map(leaseOf),
    ...maybe(from, 'enginePid', count),
    ...maybe(from, 'startedAt', count),
  };
};

export const firstOf = (from: JsonObject): number => count(from, 'first');

export type EngineReply =
  | {readonly return: unknown}
  | {readonly error: {readonly class: string; readonly desc: string}};

export const replyOf = (from: JsonObject): EngineReply => {
  const reply = object(from, 'reply');
  if ('return' in reply) return {return: reply['return']};
  const error = object(reply, 'error');
  return {error: {class: text(error, 'class'), desc: text(error, 'desc')}};
};

const eventOf = (from: JsonObject): LauncherEvent | undefined => {
  switch (from['type']) {
    case 'state':
      return {
        type: 'state',
        state: word(from, 'state', states),
        ...maybe(from, 'reason', text),
        ...maybe(from, 'message', text),
      };
    case 'engine': {
      const qmp = object(from, 'qmp');
      return {type: 'engine', qmp: {event: text(qmp, 'event'), ...maybe(qmp, 'data', object)}};
    }
    case 'lease':
      return {type: 'lease', ...leaseOf(from)};
    case 'exited':
      return {type: 'exited', outcome: word(from, 'outcome', outcomes), message: text(from, 'message')};
    default:
      // A newer launcher may have more to say.
      text(from, 'type');
      return undefined;
  }
};

export interface NumberedEvent {
  readonly seq: number;
  /** Milliseconds since the epoch, by the launcher's clock. */
  readonly at: number;
  /** Undefined for a type that this version does not know. */
  readonly event: LauncherEvent | undefined;
}

export type Message =
  | {readonly at: 'answer'; readonly id: number; readonly ok: JsonObject}
  | {readonly at: 'refusal'; readonly id: number; readonly code: LauncherErrorCode; readonly message: string}
  | {readonly at: 'event'; readonly event: NumberedEvent};

/** @throws DaemonError PROTOCOL */
export const messageOf = (frame: JsonObject): Message => {
  if ('seq' in frame)
    return {
      at: 'event',
      event: {seq: count(frame, 'seq'), at: count(frame, 'at'), event: eventOf(object(frame, 'event'))},
    };
  const id = count(frame, 'id');
  if ('ok' in frame) return {at: 'answer', id, ok: object(frame, 'ok')};
  const error = object(frame, 'error');
  return {at: 'refusal', id, code: word(error, 'code', errorCodes), message: text(error, 'message')};
};
