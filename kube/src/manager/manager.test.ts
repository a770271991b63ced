import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {LeaseElection} from '../election/lease-election.ts';
import {ApiError, LeaseLostError, SyncTimeoutError} from '../errors.ts';
import type {ConfigMap} from '../objects.ts';
import {Cache} from '../reflector/cache.ts';
import {core} from '../resources.ts';
import {LeaseServer} from '../testing/lease-server.ts';
import {ManualClock, settle} from '../testing/manual-clock.ts';
import {MemoryLog} from '../testing/memory-log.ts';
import {ScriptedServer} from '../testing/scripted-server.ts';
import {Manager, type ManagerOptions, type Runnable} from './manager.ts';

let clock: ManualClock;
let registry: Registry;
let log: MemoryLog;
let server: ScriptedServer<ConfigMap>;
let leases: LeaseServer;
let stop: AbortController;
let story: string[];
let running: Promise<unknown>;

beforeEach(() => {
  clock = new ManualClock();
  registry = new Registry();
  log = new MemoryLog();
  server = new ScriptedServer();
  leases = new LeaseServer();
  stop = new AbortController();
  story = [];
  running = Promise.resolve();
});

afterEach(async () => {
  stop.abort();
  await clock.advance(60_000);
  await running;
});

const make = (options: Partial<ManagerOptions> = {}): Manager =>
  new Manager({log, registry, clock, healthPort: 0, metricsPort: 0, ...options});

const aCache = (): Cache<ConfigMap> =>
  new Cache({client: server.client, resource: core.configMaps, log, registry, clock, random: () => 0.5});

const election = (): LeaseElection =>
  new LeaseElection({
    client: leases.client,
    lease: {namespace: 'wherry', name: 'operator'},
    identity: 'a',
    log,
    registry,
    clock,
    random: () => 0.5,
  });

const part = (name: string, endsAfterMs = 0): Runnable => ({
  run: async signal => {
    story.push(`${name} begins`);
    await untilAborted(signal);
    if (endsAfterMs > 0) await new Promise<void>(resolve => clock.schedule(endsAfterMs, resolve));
    story.push(`${name} ends`);
  },
});

const failing = (error: Error): Runnable => ({
  run: async () => {
    throw error;
  },
});

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), {once: true});
  });

/** Its outcome: `stopped`, or the error. */
const start = (manager: Manager): Promise<unknown> => {
  running = manager.run(stop.signal).then(
    () => 'stopped',
    (error: unknown) => error,
  );
  return running;
};

/** Until the ports are open and everything that follows has begun. */
const begun = async (manager: Manager): Promise<void> => {
  for (let turn = 0; turn < 1000 && manager.ports === undefined; turn += 1) await settle();
  await settle();
};

const probe = async (manager: Manager, path: string): Promise<[number, string]> => {
  const port = path === '/metrics' ? manager.ports?.metrics : manager.ports?.health;
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
};

test('probes answer before the caches are filled, which makes it ready', async () => {
  const manager = make();
  server.refuseList(new ApiError(503, {}, {call: 'list'})).page([], '1');
  manager.addCache(aCache());
  void start(manager);
  await begun(manager);
  expect((await probe(manager, '/healthz'))[0]).toBe(200);
  expect(await probe(manager, '/readyz')).toEqual([503, 'cache configmaps: not filled yet\n']);
  await clock.advance(1000);
  expect((await probe(manager, '/readyz'))[0]).toBe(200);
  expect((await probe(manager, '/metrics'))[1]).toContain('reflector_objects');
});

test('controllers begin only when the caches are filled, other parts at once', async () => {
  const manager = make();
  server.refuseList(new ApiError(503, {}, {call: 'list'})).page([], '1');
  manager.addCache(aCache());
  manager.addController(part('controller'));
  manager.addRunnable(part('other'));
  void start(manager);
  await begun(manager);
  expect(story).toEqual(['other begins']);
  await clock.advance(1000);
  expect(story).toEqual(['other begins', 'controller begins']);
});

test('it stops in order: controllers, then what they use, then the lease, the caches and the ports', async () => {
  const manager = make({election: election()});
  server.page([], '1');
  manager.addCache(aCache());
  manager.addController(part('controller', 500));
  manager.addFlush(async () => void story.push(`flushed, lease of ${leases.lease?.spec?.holderIdentity}`));
  const outcome = start(manager);
  await begun(manager);
  stop.abort();
  await clock.advance(499);
  expect(leases.lease?.spec?.holderIdentity).toBe('a');
  expect(server.watch.aborted).toBe(false);
  await clock.advance(1);
  expect(await outcome).toBe('stopped');
  expect(story).toEqual(['controller begins', 'controller ends', 'flushed, lease of ']);
  expect(server.watch.aborted).toBe(true);
  await expect(probe(manager, '/healthz')).rejects.toThrow('fetch failed');
});

test('a standby fills its caches and is ready, and its controllers wait', async () => {
  const other = election();
  void other.run(stop.signal, untilAborted);
  await settle();
  leases.lease = {...leases.lease, spec: {...leases.lease?.spec, holderIdentity: 'other'}} as typeof leases.lease;
  const manager = make({election: election()});
  server.page([], '1');
  manager.addCache(aCache());
  manager.addController(part('controller'));
  void start(manager);
  await begun(manager);
  expect((await probe(manager, '/readyz'))[0]).toBe(200);
  expect(story).toEqual([]);
});

test('a cache that does not fill ends the process with what to check', async () => {
  const manager = make({syncTimeoutMs: 5000});
  for (let failure = 0; failure < 20; failure += 1) server.refuseList(new ApiError(403, {}, {call: 'list'}));
  manager.addCache(aCache());
  const outcome = start(manager);
  await begun(manager);
  await clock.advance(5000);
  expect(await outcome).toBeInstanceOf(SyncTimeoutError);
});

test('a lost lease ends the process, though a controller does not end', async () => {
  const manager = make({election: election()});
  manager.addController({run: () => new Promise(() => undefined)});
  const outcome = start(manager);
  await begun(manager);
  leases.state = 'away';
  await clock.advance(15_000);
  expect(await outcome).toBeInstanceOf(LeaseLostError);
});

test('a part that fails ends the others, and its error is told', async () => {
  const manager = make();
  manager.addController(part('controller', 100));
  manager.addRunnable(failing(new Error('a bug')));
  const outcome = start(manager);
  await begun(manager);
  await clock.advance(1000);
  expect(String(await outcome)).toContain('a bug');
  expect(story).toEqual(['controller begins', 'controller ends']);
});

test('when a controller fails, the lease is given up only after the others have ended', async () => {
  const manager = make({election: election()});
  const holders: (string | null | undefined)[] = [];
  manager.addController(failing(new Error('a bug')));
  manager.addController({
    run: async signal => {
      await untilAborted(signal);
      await new Promise<void>(resolve => clock.schedule(1000, resolve));
      holders.push(leases.lease?.spec?.holderIdentity);
    },
  });
  const outcome = start(manager);
  await begun(manager);
  await clock.advance(2000);
  expect(String(await outcome)).toContain('a bug');
  expect(holders).toEqual(['a']);
  expect(leases.lease?.spec?.holderIdentity).toBe('');
});

test('a part that does not end does not hold up the stop for ever', async () => {
  const manager = make({stopTimeoutMs: 10_000});
  manager.addController({run: () => new Promise(() => undefined)});
  const outcome = start(manager);
  await begun(manager);
  stop.abort();
  await clock.advance(10_000);
  expect(String(await outcome)).toContain('did not end within 10000 ms');
});

test('without controllers it runs until it is told to stop', async () => {
  const manager = make();
  manager.addRunnable(part('daemon'));
  const outcome = start(manager);
  await begun(manager);
  await clock.advance(10_000);
  expect(story).toEqual(['daemon begins']);
  stop.abort();
  expect(await outcome).toBe('stopped');
});

test('checks of the process itself count', async () => {
  const manager = make();
  manager.addReadyCheck('library', () => 'not loaded');
  manager.addHealthCheck('loop', () => 'stuck');
  void start(manager);
  await begun(manager);
  expect(await probe(manager, '/readyz')).toEqual([503, 'library: not loaded\n']);
  expect(await probe(manager, '/healthz')).toEqual([503, 'loop: stuck\n']);
});
