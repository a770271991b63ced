import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {ApiError, TerminalError, TransportError} from '../errors.ts';
import type {Key} from '../objects.ts';
import {ManualClock, settle} from '../testing/manual-clock.ts';
import {MemoryLog} from '../testing/memory-log.ts';
import {Controller, type ControllerOptions, type Result} from './controller.ts';
import type {Source} from './source.ts';

let clock: ManualClock;
let log: MemoryLog;
let registry: Registry;
let stop: AbortController;
let running: Promise<void>;

beforeEach(() => {
  clock = new ManualClock();
  log = new MemoryLog();
  registry = new Registry();
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await running;
});

type Reconcile = (key: Key, signal: AbortSignal) => Promise<Result>;

const random = (): number => 0.5;

const start = (reconcile: Reconcile, options: Partial<ControllerOptions> = {}): Controller => {
  const controller = new Controller({name: 'boat', reconcile, sources: [], log, registry, clock, random, ...options});
  running = controller.run(stop.signal);
  return controller;
};

const value = async (name: string, labels: Record<string, string> = {}): Promise<number | undefined> => {
  const metric = await registry.getSingleMetric(name)?.get();
  return metric?.values.find(one => Object.entries(labels).every(([key, text]) => one.labels[key] === text))?.value;
};

const total = (result: string) => value('controller_runtime_reconcile_total', {controller: 'boat', result});

const conflict = new ApiError(409, {reason: 'Conflict'}, {call: 'PATCH'});
const a = {namespace: 'default', name: 'a'};

/** A reconcile that plays these outcomes in turn, and the times at which it was called. */
const playing = (...outcomes: (Result | Error)[]): {reconcile: Reconcile; times: number[]} => {
  const times: number[] = [];
  const reconcile: Reconcile = async () => {
    times.push(clock.monotonic());
    const outcome = outcomes.shift();
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  return {reconcile, times};
};

test('keys come from the sources, and are reconciled', async () => {
  const seen: Key[] = [];
  const source: Source = {synced: true, start: enqueue => [a, {name: 'node-1'}].forEach(enqueue)};
  start(async key => void seen.push(key), {sources: [source]});
  await settle();
  expect(seen).toEqual([a, {name: 'node-1'}]);
  expect(await total('success')).toBe(2);
});

test('an error comes again, later and later; a success begins anew', async () => {
  const error = new TransportError('GET', new Error('reset'));
  const {reconcile, times} = playing(error, error, error, undefined, error);
  const controller = start(reconcile);
  controller.enqueue(a);
  await clock.advance(100);
  expect(times).toEqual([0, 5, 15, 35]);
  controller.enqueue(a);
  await clock.advance(100);
  expect(times.slice(4)).toEqual([100, 105]);
  expect(await value('controller_runtime_reconcile_errors_total', {controller: 'boat'})).toBe(4);
});

test('a conflict comes again quietly: it is no error', async () => {
  const {reconcile, times} = playing(conflict);
  start(reconcile).enqueue(a);
  await clock.advance(100);
  expect(times).toEqual([0, 5]);
  expect(log.lines).toEqual([]);
  expect(await value('controller_runtime_reconcile_errors_total')).toBe(0);
});

test('a terminal error is told and not tried again', async () => {
  const {reconcile, times} = playing(new TerminalError('never'));
  start(reconcile).enqueue(a);
  await clock.advance(3_600_000);
  expect(times).toEqual([0]);
  expect(log.messages('error')).toEqual(['reconcile failed for good, waiting for a change']);
  expect(await value('controller_runtime_terminal_reconcile_errors_total')).toBe(1);
});

test('a bug is counted as such, and does not end the controller', async () => {
  const {reconcile, times} = playing(new TypeError('undefined is not a function'));
  start(reconcile).enqueue(a);
  await clock.advance(10);
  expect(times).toHaveLength(2);
  expect(await value('controller_runtime_reconcile_panics_total')).toBe(1);
});

test('the time that a reconcile asks for is kept and is no failure', async () => {
  const {reconcile, times} = playing({afterMs: 1000}, {afterMs: 1000});
  start(reconcile).enqueue(a);
  await clock.advance(5000);
  expect(times).toEqual([0, 1000, 2000]);
  expect(await total('requeue_after')).toBe(2);
});

test('a key is never reconciled twice at once, and a change meanwhile is not lost', async () => {
  let atOnce = 0;
  let most = 0;
  const gates: (() => void)[] = [];
  const controller = start(async () => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await new Promise<void>(resolve => gates.push(resolve));
    atOnce -= 1;
  });
  controller.enqueue(a);
  await settle();
  for (let change = 0; change < 3; change += 1) controller.enqueue(a);
  await settle();
  gates.shift()?.();
  await settle();
  expect(gates).toHaveLength(1);
  gates.shift()?.();
  await settle();
  expect([most, gates.length]).toEqual([1, 0]);
});

test('as many keys are reconciled at once as it was told, and no more', async () => {
  let atOnce = 0;
  const gate = Promise.withResolvers<void>();
  const controller = start(
    async () => {
      atOnce += 1;
      await gate.promise;
    },
    {concurrency: 2},
  );
  for (const name of ['a', 'b', 'c']) controller.enqueue({name});
  await settle();
  expect(atOnce).toBe(2);
  gate.resolve();
});

test('a reconcile that takes too long is told to end, counted, and tried again', async () => {
  let calls = 0;
  const controller = start(
    (_, signal) =>
      new Promise((resolve, reject) => {
        calls += 1;
        if (calls > 1) resolve();
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
    {timeoutMs: 1000},
  );
  controller.enqueue(a);
  await clock.advance(999);
  expect(calls).toBe(1);
  await clock.advance(100);
  expect(calls).toBe(2);
  expect(await value('controller_runtime_reconcile_timeouts_total')).toBe(1);
});

test('nothing is decided before the cache has seen the own last write', async () => {
  let current = false;
  let enqueue: ((key: Key) => void) | undefined;
  const source: Source = {
    synced: true,
    start: sink => {
      enqueue = sink;
    },
    isCurrent: () => current,
  };
  const {reconcile, times} = playing();
  start(reconcile, {sources: [{synced: true, start: () => undefined}, source]}).enqueue(a);
  await clock.advance(60_000);
  expect(times).toEqual([]);
  // It is not asked again and again meanwhile: the source says when.
  expect(await total('not_current')).toBe(1);
  current = true;
  enqueue?.(a);
  await settle();
  expect(times).toHaveLength(1);
});

test.each<[string, Error, number]>([
  ['is away', new TransportError('GET', new Error('refused')), 5000],
  ['is in trouble', new ApiError(503, {}, {call: 'GET'}), 5000],
  ['asks for time', new ApiError(429, {}, {call: 'GET', retryAfterMs: 8000}), 8000],
  ['asks for a day', new ApiError(429, {}, {call: 'GET', retryAfterMs: 86_400_000}), 30_000],
])('a key that failed for long because the API server %s is tried soon when it may be back', async (_, error, most) => {
  const {reconcile, times} = playing(...Array.from({length: 100}, () => error));
  start(reconcile).enqueue(a);
  await clock.advance(300_000);
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(Math.max(...pauses)).toBe(most);
});

test('a source that throws when it is asked for a key ends nothing: the key is tried again', async () => {
  let broken = true;
  const isCurrent = (): boolean => {
    if (broken) throw new TypeError('a bug');
    return true;
  };
  const {reconcile, times} = playing();
  start(reconcile, {sources: [{synced: true, start: () => undefined, isCurrent}]}).enqueue(a);
  await clock.advance(4);
  broken = false;
  await clock.advance(10);
  expect([times.length, log.messages('error').length]).toEqual([1, 1]);
});

test.each([
  [
    'throws before it is asynchronous',
    () => {
      throw new Error('a bug');
    },
  ],
  ['rejects with nothing', () => Promise.reject()],
  ['rejects with a text', () => Promise.reject('a text')],
])('a reconcile that %s is tried again like any other', async (_, reconcile) => {
  let calls = 0;
  start(() => {
    calls += 1;
    return calls > 1 ? Promise.resolve() : reconcile();
  }).enqueue(a);
  await clock.advance(10);
  expect(calls).toBe(2);
});

test('stopping waits for what is under way, which is told, begins nothing new and logs no failure', async () => {
  let ended = false;
  const seen: string[] = [];
  const controller = start(
    async (key, signal) => {
      seen.push(key.name);
      await new Promise<void>(resolve => signal.addEventListener('abort', () => setTimeout(resolve, 20)));
      ended = true;
      throw signal.reason as Error;
    },
    {concurrency: 1},
  );
  controller.enqueue({name: 'a'});
  controller.enqueue({name: 'b'});
  await settle();
  stop.abort();
  await running;
  expect([ended, seen, log.lines]).toEqual([true, ['a'], []]);
});

test('the metrics of a controller are there before its first reconcile, at zero', async () => {
  start(async () => undefined, {concurrency: 7});
  expect(await total('error')).toBe(0);
  expect(await value('controller_runtime_max_concurrent_reconciles')).toBe(7);
  expect(await value('workqueue_depth', {name: 'boat'})).toBe(0);
});

test('a reconcile that hangs shows at the next scrape', async () => {
  const controller = start(
    (_, signal) => new Promise<void>(resolve => signal.addEventListener('abort', () => resolve())),
  );
  controller.enqueue(a);
  await clock.advance(30_000);
  expect(await value('workqueue_longest_running_processor_seconds', {name: 'boat'})).toBe(30);
  expect(await value('workqueue_unfinished_work_seconds', {name: 'boat'})).toBe(30);
});
