import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {LeaseLostError} from '../errors.ts';
import {LeaseServer} from '../testing/lease-server.ts';
import {ManualClock, settle} from '../testing/manual-clock.ts';
import {MemoryLog} from '../testing/memory-log.ts';
import {LeaseElection} from './lease-election.ts';

let server: LeaseServer;
let clock: ManualClock;
let registry: Registry;
const contenders: Contender[] = [];

beforeEach(() => {
  server = new LeaseServer();
  clock = new ManualClock();
  registry = new Registry();
});

afterEach(async () => {
  server.state = 'up';
  for (const contender of contenders.splice(0)) contender.stop.abort();
  await settle();
});

interface Contender {
  readonly election: LeaseElection;
  readonly stop: AbortController;
  readonly run: Promise<unknown>;
  leading: boolean;
  error: unknown;
}

/** Runs for the lease; leads until it is stopped. */
const contend = async (identity: string, lead = untilAborted): Promise<Contender> => {
  const stop = new AbortController();
  const election = new LeaseElection({
    client: server.client,
    lease: {namespace: 'wherry', name: 'operator'},
    identity,
    log: new MemoryLog(),
    registry,
    clock,
    random: () => 0.5,
  });
  const run = election
    .run(stop.signal, async signal => {
      contender.leading = true;
      await lead(signal);
      contender.leading = false;
    })
    .catch((error: unknown) => {
      contender.error = error;
    });
  const contender: Contender = {election, stop, run, leading: false, error: undefined};
  contenders.push(contender);
  await settle();
  return contender;
};

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), {once: true});
  });

test('the first to come leads, the second waits for as long as the first renews', async () => {
  const a = await contend('a');
  const b = await contend('b');
  await clock.advance(120_000);
  expect([a.leading, b.leading]).toEqual([true, false]);
  expect(server.lease?.spec?.leaseTransitions).toBe(0);
});

test('a leader that stops gives the lease up, and the next leads within one try', async () => {
  const a = await contend('a');
  const b = await contend('b');
  a.stop.abort();
  await a.run;
  expect(server.lease?.spec?.holderIdentity).toBe('');
  await clock.advance(2500);
  expect(b.leading).toBe(true);
});

test('the lease is given up only after the work has ended', async () => {
  const work = Promise.withResolvers<void>();
  const a = await contend('a', () => work.promise);
  a.stop.abort();
  await clock.advance(5000);
  expect(server.lease?.spec?.holderIdentity).toBe('a');
  work.resolve();
  await a.run;
  expect(server.lease?.spec?.holderIdentity).toBe('');
});

test('a leader that dies is followed after the lease has run out, not earlier', async () => {
  const a = await contend('a');
  const b = await contend('b');
  const {lease} = server;
  await clock.advance(1000);
  // The dead do not renew.
  a.stop.abort();
  await settle();
  server.lease = {...lease, metadata: {...lease?.metadata, resourceVersion: '50'}} as typeof lease;
  await clock.advance(14_000);
  expect(b.leading).toBe(false);
  await clock.advance(6000);
  expect(b.leading).toBe(true);
});

test.each(['away', 'hanging'] as const)(
  'a leader whose API server is %s ends in time: before another may take the lease',
  async state => {
    const a = await contend('a');
    await clock.advance(60_000);
    server.state = state;
    await clock.advance(7000);
    expect(a.error).toBeUndefined();
    // Its last renewal was at most one retry before.
    await clock.advance(5200);
    expect(a.error).toBeInstanceOf(LeaseLostError);
  },
);

test('a short absence of the API server costs nothing', async () => {
  const a = await contend('a');
  server.state = 'away';
  await clock.advance(6000);
  server.state = 'up';
  await clock.advance(60_000);
  expect([a.leading, a.error]).toEqual([true, undefined]);
});

test('a leader that finds another on its lease ends at once', async () => {
  const a = await contend('a');
  const {lease} = server;
  server.lease = {
    ...lease,
    metadata: {...lease?.metadata, resourceVersion: '50'},
    spec: {...lease?.spec, holderIdentity: 'b'},
  } as typeof lease;
  await clock.advance(5000);
  expect(a.error).toBeInstanceOf(LeaseLostError);
  expect(server.lease?.spec?.holderIdentity).toBe('b');
});

test('a wall clock that jumps neither loses nor wins a lease', async () => {
  const a = await contend('a');
  const b = await contend('b');
  clock.setWall(Date.UTC(2040, 0, 1));
  await clock.advance(10_000);
  clock.setWall(Date.UTC(2000, 0, 1));
  await clock.advance(10_000);
  expect([a.leading, b.leading, a.error]).toEqual([true, false, undefined]);
});

test('a leader writes once in a renewal, and reads nothing', async () => {
  await contend('a');
  const before = {...server.calls};
  await clock.advance(22_000);
  expect(server.calls.update - before.update).toBe(10);
  expect(server.calls.get - before.get).toBe(0);
});

test('two that come at once: the lease has one holder', async () => {
  const [a, b] = await Promise.all([contend('a'), contend('b')]);
  await clock.advance(10_000);
  expect([a.leading, b.leading].filter(leading => leading)).toHaveLength(1);
});

test('work that fails gives the lease up, and its error is told', async () => {
  const a = await contend('a', () => Promise.reject(new Error('a bug')));
  await a.run;
  expect(String(a.error)).toContain('a bug');
  expect(server.lease?.spec?.holderIdentity).toBe('');
});

test('one that is stopped while it waits never leads', async () => {
  await contend('a');
  const b = await contend('b');
  b.stop.abort();
  await b.run;
  await clock.advance(60_000);
  expect(b.leading).toBe(false);
});

const status = async () => (await registry.getSingleMetric('leader_election_master_status')?.get())?.values[0]?.value;

test('the metric says who leads', async () => {
  const a = await contend('a');
  expect(await status()).toBe(1);
  a.stop.abort();
  await a.run;
  expect(await status()).toBe(0);
});

test('a lost lease ends the work that it allowed', async () => {
  const told: unknown[] = [];
  const a = await contend('a', async signal => {
    await untilAborted(signal);
    told.push(signal.reason);
  });
  server.state = 'away';
  await clock.advance(13_000);
  expect(told).toEqual([expect.any(LeaseLostError)]);
  expect(a.error).toBe(told[0]);
});

test('a leader that cannot renew has ended by its deadline, not a rest later', async () => {
  const a = await contend('a');
  await clock.advance(2200);
  expect(server.calls.update).toBe(1);
  server.state = 'away';
  await clock.advance(9999);
  expect(a.error).toBeUndefined();
  await clock.advance(2);
  expect(a.error).toBeInstanceOf(LeaseLostError);
});

test('a lease that somebody deletes is made again by its leader at its next renewal', async () => {
  const a = await contend('a');
  const b = await contend('b');
  server.lease = undefined;
  await clock.advance(2200);
  expect(server.lease).toMatchObject({spec: {holderIdentity: 'a'}});
  await clock.advance(60_000);
  expect([a.leading, a.error, b.leading]).toEqual([true, undefined, false]);
});

test('a standby that saw a leader waits for its time also when the lease is deleted', async () => {
  const a = await contend('a');
  const b = await contend('b');
  server.state = 'away';
  await clock.advance(11_000);
  expect(a.error).toBeInstanceOf(LeaseLostError);
  server.lease = undefined;
  server.state = 'up';
  await clock.advance(3000);
  expect(b.leading).toBe(false);
  await clock.advance(4000);
  expect(b.leading).toBe(true);
});

test('a standby whose call hangs asks anew in time to follow a leader that is gone', async () => {
  const b = await contend('b', untilAborted);
  b.stop.abort();
  await b.run;
  server.state = 'hanging';
  const c = await contend('c');
  await clock.advance(9000);
  server.state = 'up';
  await clock.advance(4000);
  expect(c.leading).toBe(true);
});

test('a release that hangs does not hold up the end of the process', async () => {
  const a = await contend('a');
  server.state = 'hanging';
  a.stop.abort();
  await clock.advance(10_000);
  await a.run;
  expect([a.leading, a.error]).toEqual([false, undefined]);
});

test('only a leader that renewed in time may write, by the clock, before any timer has told it', async () => {
  const a = await contend('a');
  const b = await contend('b');
  expect(() => a.election.assertLeading()).not.toThrow();
  expect(() => b.election.assertLeading()).toThrow(LeaseLostError);
  // As a process that was stopped finds the clock: no timer has fired yet.
  clock.skip(10_000);
  expect(() => a.election.assertLeading()).toThrow(LeaseLostError);
});

test('a leader may write until its work has ended, and no longer', async () => {
  const work = Promise.withResolvers<void>();
  const a = await contend('a', () => work.promise);
  a.stop.abort();
  await clock.advance(30_000);
  expect(() => a.election.assertLeading()).not.toThrow();
  work.resolve();
  await a.run;
  expect(() => a.election.assertLeading()).toThrow(LeaseLostError);
});
