import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {setImmediate} from 'node:timers/promises';
import {Registry} from 'prom-client';
import {ApiError, SyncTimeoutError, TransportError} from '../errors.ts';
import type {ConfigMap} from '../objects.ts';
import {core} from '../resources.ts';
import {ManualClock, settle} from '../testing/manual-clock.ts';
import {MemoryLog} from '../testing/memory-log.ts';
import {aConfigMap} from '../testing/objects.ts';
import {ScriptedServer} from '../testing/scripted-server.ts';
import {Cache} from './cache.ts';

let server: ScriptedServer<ConfigMap>;
let clock: ManualClock;
let log: MemoryLog;
let registry: Registry;
let stop: AbortController;
let running: Promise<void>;

beforeEach(() => {
  server = new ScriptedServer();
  clock = new ManualClock();
  log = new MemoryLog();
  registry = new Registry();
  stop = new AbortController();
  running = Promise.resolve();
});

afterEach(async () => {
  stop.abort();
  await running;
});

const makeCache = (options: object = {}): Cache<ConfigMap> =>
  new Cache({client: server.client, resource: core.configMaps, log, registry, clock, random: () => 0.5, ...options});

/** Runs a cache until its script has nothing more to say. */
const started = async (cache: Cache<ConfigMap>): Promise<Cache<ConfigMap>> => {
  running = cache.run(stop.signal);
  await settle();
  return cache;
};

const key = (name: string) => ({namespace: 'default', name});
const modified = (name: string, resourceVersion: string) =>
  ({type: 'MODIFIED', object: aConfigMap(name, {resourceVersion})}) as const;

const changesOf = (cache: Cache<ConfigMap>): string[] => {
  const told: string[] = [];
  cache.onChange(change => told.push(`${change.type} ${change.object.metadata.name}`));
  return told;
};

test('readers see nothing of a list before all its pages are in', async () => {
  const cache = makeCache();
  server.page([aConfigMap('a')], '10', 'more').refuseList(new TransportError('list', new Error('reset')));
  await started(cache);
  expect(server.lists).toEqual([undefined, 'more']);
  expect([cache.synced, cache.list()]).toEqual([false, []]);
  server.page([aConfigMap('a')], '10', 'more').page([aConfigMap('b')], '10');
  await clock.advance(100);
  expect(cache.list().map(object => object.metadata.name)).toEqual(['a', 'b']);
  expect(cache.synced).toBe(true);
});

test('a watch goes on where the list ended, and every event is told and kept', async () => {
  const cache = makeCache();
  server.page([aConfigMap('a')], '10');
  const told = changesOf(cache);
  await started(cache);
  expect(server.watch.from).toBe('10');
  server.watch.send(modified('a', '11'));
  server.watch.send({type: 'ADDED', object: aConfigMap('b', {resourceVersion: '12'})});
  server.watch.send({type: 'DELETED', object: aConfigMap('a', {resourceVersion: '13'})});
  await settle();
  expect(told).toEqual(['added a', 'updated a', 'added b', 'deleted a']);
  expect(cache.get(key('a'))).toBeUndefined();
  expect(cache.get(key('b'))?.metadata.resourceVersion).toBe('12');
});

test('a watch that breaks is resumed from the last event after a pause, without a list', async () => {
  const cache = makeCache();
  server.page([], '10');
  await started(cache);
  server.watch.send(modified('a', '15'));
  server.watch.fail(new TransportError('watch', new Error('reset')));
  await settle();
  expect(server.watches).toHaveLength(1);
  await clock.advance(100);
  expect(server.watches).toHaveLength(2);
  expect(server.watch.from).toBe('15');
  expect(server.lists).toHaveLength(1);
});

test('what changed while the server had forgotten our version is told from a new list', async () => {
  const cache = makeCache();
  server.page([aConfigMap('a'), aConfigMap('b')], '10');
  const told = changesOf(cache);
  await started(cache);
  server.page([aConfigMap('b', {uid: 'another', resourceVersion: '40'})], '50');
  server.watch.fail(new ApiError(410, {reason: 'Expired'}, {call: 'watch'}));
  await clock.advance(100);
  expect(told.slice(2)).toEqual(['deleted b', 'added b', 'deleted a']);
  expect(server.watch.from).toBe('50');
});

test('a server that is away for long is asked later and later, and never given up', async () => {
  const cache = makeCache();
  for (let failure = 0; failure < 12; failure += 1) server.refuseList(new ApiError(503, {}, {call: 'list'}));
  await started(cache);
  await clock.advance(20_000);
  const asked = server.lists.length;
  expect(asked).toBeGreaterThan(7);
  expect(asked).toBeLessThan(12);
  server.page([], '10');
  await clock.advance(20_000);
  expect(cache.synced).toBe(true);
});

test('the wait that the server asks for is kept', async () => {
  const cache = makeCache();
  server.refuseList(new ApiError(429, {}, {call: 'list', retryAfterMs: 5000})).page([], '1');
  await started(cache);
  await clock.advance(4999);
  expect(server.lists).toHaveLength(1);
  await clock.advance(1300);
  expect(cache.synced).toBe(true);
});

test('a server that ends every watch at once is not asked in a storm', async () => {
  const cache = makeCache();
  server.page([], '10');
  await started(cache);
  for (let second = 0; second < 5; second += 1) {
    server.watch.end();
    await clock.advance(1000);
  }
  expect(server.watches.length).toBeLessThanOrEqual(6);
});

test('managedFields are not kept, nor what the transform drops', async () => {
  const full = {...aConfigMap('a'), data: {secret: 'x'}};
  Object.assign(full.metadata, {managedFields: [{manager: 'kubectl'}]});
  const cache = makeCache({transform: ({data: _dropped, ...rest}: ConfigMap) => rest});
  server.page([full], '10');
  await started(cache);
  expect(cache.get(key('a'))).toEqual(aConfigMap('a'));
});

test('a listener that throws is logged, and the others and the cache go on', async () => {
  const cache = makeCache();
  cache.onChange(() => {
    throw new Error('a bug');
  });
  const told = changesOf(cache);
  server.page([aConfigMap('a')], '10');
  await started(cache);
  server.watch.send(modified('a', '11'));
  await settle();
  expect(told).toEqual(['added a', 'updated a']);
  expect(log.messages('error')).toHaveLength(2);
});

test('a late listener is told what is there', async () => {
  server.page([aConfigMap('a')], '10');
  expect(changesOf(await started(makeCache()))).toEqual(['added a']);
});

test('waiting for the first list ends in an error that says what to check and why it failed', async () => {
  const cache = makeCache();
  const forbidden = new ApiError(403, {reason: 'Forbidden', message: 'no'}, {call: 'list'});
  for (let failure = 0; failure < 20; failure += 1) server.refuseList(forbidden);
  await started(cache);
  const waiting = cache.waitForSync(stop.signal, 5000).catch((error: unknown) => error);
  await clock.advance(5000);
  const error = await waiting;
  expect(error).toBeInstanceOf(SyncTimeoutError);
  expect(error).toMatchObject({cause: forbidden});
});

test('waiting for the first list ends when the process stops', async () => {
  const waiting = makeCache()
    .waitForSync(stop.signal)
    .catch((error: unknown) => error);
  stop.abort(new Error('stopping'));
  expect(String(await waiting)).toContain('stopping');
});

test('it stops in the middle of a watch, a wait or a list, and closes the watch', async () => {
  server.page([], '10');
  await started(makeCache());
  stop.abort();
  await running;
  expect(server.watch.aborted).toBe(true);
});

const wrote = (name: string, resourceVersion: string): void =>
  server.writes.stored(core.configMaps, aConfigMap(name, {resourceVersion}));

test('an own write is not seen until its version, or a later one, has come in', async () => {
  const cache = makeCache();
  server.page([aConfigMap('a')], '10');
  await started(cache);
  expect(cache.isCurrent(key('a'))).toBe(true);
  wrote('a', '12');
  expect(cache.isCurrent(key('a'))).toBe(false);
  server.watch.send(modified('b', '11'));
  await settle();
  expect(cache.isCurrent(key('a'))).toBe(false);
  server.watch.send({type: 'BOOKMARK', resourceVersion: '20'});
  await settle();
  expect(cache.isCurrent(key('a'))).toBe(true);
});

test('a write outside its namespace is none of its own', async () => {
  const cache = makeCache({selection: {namespace: 'other'}});
  server.page([], '10');
  await started(cache);
  wrote('a', '12');
  expect(cache.isCurrent(key('a'))).toBe(true);
});

test('a watch that does not bring an own write is given up, and a list brings it', async () => {
  const cache = makeCache();
  server.page([aConfigMap('a')], '10');
  await started(cache);
  const dead = server.watch;
  wrote('a', '12');
  await clock.advance(9999);
  expect(dead.aborted).toBe(false);
  server.page([aConfigMap('a', {resourceVersion: '12'})], '12');
  await clock.advance(200);
  expect([dead.aborted, cache.isCurrent(key('a')), server.lists.length]).toEqual([true, true, 2]);
  expect(log.lines.map(({fields}) => String(fields['err']))).toEqual([
    expect.stringContaining('cache of configmaps has not seen the own write to default/a for 10000 ms'),
  ]);
  expect(clock.pending).toBe(1);
});

test('a server that was set back to an older state does not hold up its readers for ever', async () => {
  const cache = makeCache();
  server.page([aConfigMap('a')], '1000');
  await started(cache);
  wrote('a', '1002');
  server.page([aConfigMap('a', {resourceVersion: '7'})], '9');
  await clock.advance(10_200);
  expect([cache.isCurrent(key('a')), server.watch.from]).toEqual([true, '9']);
});

test('writes that keep coming in time never make a watch look dead', async () => {
  const cache = makeCache();
  server.page([], '10');
  await started(cache);
  for (let version = 11; version < 60; version += 1) {
    wrote('a', String(version + 1));
    server.watch.send(modified('a', String(version)));
    await clock.advance(1000);
  }
  expect([server.watches.length, server.lists.length]).toEqual([1, 1]);
});

test('a stopped cache hears of no writes and leaves no timer', async () => {
  const cache = makeCache();
  server.page([], '10');
  await started(cache);
  wrote('a', '11');
  stop.abort();
  await running;
  wrote('b', '12');
  expect([cache.isCurrent(key('b')), clock.pending]).toEqual([true, 0]);
});

const choke = (object: ConfigMap): never[] => {
  if (object.metadata.name === 'odd') throw new TypeError('no volumes');
  return [];
};

test('a transform or an indexer that throws on one object keeps neither it nor the others out', async () => {
  const cache = makeCache({
    indexers: {volumes: choke},
    transform: (object: ConfigMap) => {
      choke(object);
      return object;
    },
  });
  server.page([aConfigMap('odd'), aConfigMap('a')], '10');
  const told = changesOf(cache);
  await started(cache);
  server.watch.send(modified('odd', '11'));
  server.watch.send({type: 'DELETED', object: aConfigMap('odd', {resourceVersion: '12'})});
  server.watch.send(modified('a', '13'));
  await settle();
  expect(told).toEqual(['added odd', 'added a', 'updated odd', 'deleted odd', 'updated a']);
  expect(log.messages('error').length).toBeGreaterThan(0);
});

// The type of a listener lets it pass; the linter would not.
const rejecting: () => void = (): unknown => Promise.reject(new Error('a bug'));

test('an async listener that rejects is logged like one that throws', async () => {
  const cache = makeCache();
  cache.onChange(rejecting);
  server.page([aConfigMap('a')], '10');
  await started(cache);
  expect(log.messages('error')).toEqual(['a listener of the cache threw']);
});

test('a page that is followed by itself is not read without end', async () => {
  const cache = makeCache();
  server.page([aConfigMap('a')], '10', 'more').page([aConfigMap('a')], '10', 'more');
  await started(cache);
  expect([server.lists.length, cache.synced]).toEqual([2, false]);
});

test('a long list is told in slices, with turns for the rest of the process between', async () => {
  const items = Array.from({length: 2200}, (_, index) => aConfigMap(`object-${index}`));
  const cache = makeCache();
  server.page(items, '10');
  let turn = 0;
  const toldInTurn: number[] = [];
  const seen = new Set<number>();
  cache.onChange(() => {
    toldInTurn[turn] = (toldInTurn[turn] ?? 0) + 1;
    seen.add(cache.list().length);
  });
  running = cache.run(stop.signal);
  while (!cache.synced || toldInTurn.reduce((sum, count) => sum + count, 0) < items.length) {
    await setImmediate();
    turn += 1;
  }
  expect(Math.max(...toldInTurn.filter(count => count !== undefined))).toBeLessThanOrEqual(500);
  expect([...seen]).toEqual([2200]);
});
