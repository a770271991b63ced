import {duplexPair, type Duplex} from 'node:stream';
import {expect, test} from '@jest/globals';
import {LauncherConnection} from './connection.ts';
import {encodeFrame, FrameDecoder, type JsonObject} from './frames.ts';
import type {NumberedEvent} from './shapes.ts';

interface Scene {
  readonly connection: LauncherConnection;
  /** The launcher's end. */
  readonly peer: Duplex;
  readonly say: (message: object) => void;
  readonly events: NumberedEvent[];
  /** Resolves with the fault of the peer, if it was one. */
  readonly closed: Promise<Error | undefined>;
  /** Lets time pass. */
  readonly wait: (ms: number) => void;
}

/** A launcher that answers each request as `answer` says, or not at all. */
const scene = (answer: (request: JsonObject) => object | undefined, timeoutMs = 1000): Scene => {
  const [ours, peer] = duplexPair();
  const events: NumberedEvent[] = [];
  const closed = Promise.withResolvers<Error | undefined>();
  let now = 0;
  const connection = new LauncherConnection(ours, {
    onEvent: event => events.push(event),
    onClose: closed.resolve,
    timeoutMs,
    monotonic: () => now,
  });
  const say = (message: object): void => void peer.write(encodeFrame(message));
  const decoder = new FrameDecoder();
  peer.on('data', (chunk: Buffer) => {
    for (const request of decoder.push(chunk)) {
      const reply = answer(request);
      if (reply !== undefined) say({id: request['id'], ...reply});
    }
  });
  return {connection, peer, say, events, closed: closed.promise, wait: ms => void (now += ms)};
};

const status = {state: 'Running', lastSeq: 9, leases: []};

test('each answer finds its request, in whatever order they come', async () => {
  const waiting: JsonObject[] = [];
  const {connection, say} = scene(request => void waiting.push(request));
  const both = Promise.all([connection.engine({execute: 'a'}), connection.engine({execute: 'b'})]);
  await new Promise(resolve => setImmediate(resolve));
  for (const {id, command} of waiting.toReversed()) say({id, ok: {reply: {return: command}}});
  expect(await both).toEqual([{return: {execute: 'a'}}, {return: {execute: 'b'}}]);
});

test('events come in order, between answers too', async () => {
  const {connection, say, events} = scene(() => ({ok: status}));
  say({seq: 1, at: 1, event: {type: 'state', state: 'Starting'}});
  say({seq: 2, at: 2, event: {type: 'state', state: 'Running'}});
  await connection.status();
  expect(events.map(({seq}) => seq)).toEqual([1, 2]);
});

test('a refusal carries the code of the launcher', async () => {
  const {connection} = scene(() => ({error: {code: 'NotStarted', message: 'no plan'}}));
  await expect(connection.kill()).rejects.toMatchObject({code: 'REFUSED', refusal: 'NotStarted'});
});

test('a request without an answer is given up in time, and its late answer is nobody’s', async () => {
  const {connection, say} = scene(() => undefined, 20);
  await expect(connection.status()).rejects.toMatchObject({code: 'TIMED_OUT'});
  say({id: 1, ok: status});
  await new Promise(resolve => setImmediate(resolve));
  expect(connection.open).toBe(true);
});

test('the end of the connection rejects what waits, and what comes after', async () => {
  const {connection, peer, closed} = scene(() => undefined);
  const waits = connection.status();
  peer.destroy();
  await expect(waits).rejects.toMatchObject({code: 'CONNECTION_CLOSED'});
  expect(await closed).toBeUndefined();
  await expect(connection.status()).rejects.toMatchObject({code: 'CONNECTION_CLOSED'});
});

test.each([
  ['a length of 4 GiB', (peer: Duplex) => peer.write(Buffer.from([255, 255, 255, 255]))],
  ['no JSON', (peer: Duplex) => peer.write(Buffer.from([0, 0, 0, 1, 0x7b]))],
  ['an answer of a wrong shape', (peer: Duplex) => peer.write(encodeFrame({id: 'one', ok: {}}))],
])('a launcher that sends %s loses its connection', async (_what, send) => {
  const {connection, peer, closed} = scene(() => undefined);
  const waits = connection.status();
  send(peer);
  await expect(waits).rejects.toMatchObject({code: 'PROTOCOL'});
  expect(await closed).toMatchObject({code: 'PROTOCOL'});
  expect(connection.open).toBe(false);
});

const stop = (seq: number): object => ({seq, at: 1, event: {type: 'engine', qmp: {event: 'STOP'}}});
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('many events at once are taken, and as many as a guest causes ever after', async () => {
  const {connection, say, events, wait} = scene(() => undefined);
  for (let seq = 1; seq <= 1024; seq++) say(stop(seq));
  await turn();
  for (let second = 0; second < 3; second++) {
    wait(1000);
    for (let n = 0; n < 200; n++) say(stop(2000 + second * 200 + n));
    await turn();
  }
  expect(events).toHaveLength(1024 + 600);
  expect(connection.open).toBe(true);
});

test.each([
  ['events', stop],
  ['answers that nobody asked for', (id: number) => ({id, ok: {}})],
])('a launcher that floods with %s loses its connection', async (_what, message) => {
  const {connection, say, events, closed} = scene(() => undefined);
  for (let n = 1; n <= 1025; n++) say(message(n));
  expect(await closed).toMatchObject({code: 'PROTOCOL', message: expect.stringContaining('more events')});
  expect(connection.open).toBe(false);
  expect(events.length).toBeLessThanOrEqual(1024);
});

test('a launcher that floods with few but large events loses its connection', async () => {
  const {say, closed} = scene(() => undefined);
  const data = {text: 'x'.repeat(1_000_000)};
  for (let n = 1; n <= 9; n++) say({seq: n, at: 1, event: {type: 'engine', qmp: {event: 'STOP', data}}});
  expect(await closed).toMatchObject({code: 'PROTOCOL', message: expect.stringContaining('more bytes')});
});
