import {beforeEach, expect, test} from '@jest/globals';
import {daemonLeaseOf} from '@wherry/api';
import type {Clock, Lease} from '@wherry/kube';
import {aLease} from '../testing/leases.ts';
import {HandClock} from '../testing/hand-clock.ts';
import {DaemonWatch} from './daemon-watch.ts';

type Listener = (change: {type: 'added' | 'updated' | 'deleted'; object: Lease; previous?: Lease}) => void;

/** The API server's Leases, and a watch of them that can break without a word. */
class Leases {
  readonly stored = new Map<string, Lease>();
  watchBroken = false;
  away = false;
  reads = 0;
  #renewals = 0;
  readonly #listeners: Listener[] = [];

  onChange(listener: Listener): void {
    this.#listeners.push(listener);
    for (const object of this.stored.values()) listener({type: 'added', object});
  }

  renew(...nodes: string[]): void {
    for (const node of nodes) {
      const type = this.stored.has(node) ? 'updated' : 'added';
      const object = aLease(node, {renewTime: `renewal ${(this.#renewals += 1)}`});
      this.stored.set(node, object);
      this.#tell({type, object});
    }
  }

  delete(node: string): void {
    const object = this.stored.get(node);
    this.stored.delete(node);
    if (object !== undefined) this.#tell({type: 'deleted', object});
  }

  /** A change that is no renewal. */
  touch(node: string): void {
    const object = this.stored.get(node);
    if (object !== undefined) this.#tell({type: 'updated', object});
  }

  get = async (_resource: unknown, {name}: {name: string}): Promise<Lease | undefined> => {
    this.reads += 1;
    if (this.away) throw new Error('away');
    return [...this.stored.entries()].find(([node]) => daemonLeaseOf(node) === name)?.[1];
  };

  #tell(change: Parameters<Listener>[0]): void {
    if (!this.watchBroken) for (const listener of this.#listeners) listener(change);
  }
}

let leases: Leases;
let clock: HandClock;
let watch: DaemonWatch;
let changes: string[];

const newWatch = (on: Clock): DaemonWatch => {
  const log = {debug: () => {}, info: () => {}, warn: () => {}, error: () => {}};
  const made = new DaemonWatch({leases: leases as never, client: leases as never, namespace: 'wherry', clock: on, log});
  made.onChange(node => changes.push(`${node} ${made.stateOf(node)}`));
  return made;
};

beforeEach(() => {
  leases = new Leases();
  clock = new HandClock();
  changes = [];
  watch = newWatch(clock);
});

const stop = new AbortController();
const begin = (): void => void watch.run(stop.signal);

/** Time passes while these nodes renew every 10 s. */
const pass = async (seconds: number, ...alive: string[]): Promise<void> => {
  for (let at = 0; at < seconds; at += 1) {
    if (at % 10 === 0) leases.renew(...alive);
    await clock.advance(1000);
  }
};

test('before it watches it knows nothing', () => {
  leases.renew('n1');
  expect(watch.stateOf('n1')).toBe('unknown');
});

test('a daemon that renews answers, one without a Lease is absent', async () => {
  begin();
  await pass(100, 'n1');
  expect(watch.stateOf('n1')).toBe('answers');
  expect(watch.stateOf('n2')).toBe('absent');
});

test('a daemon falls silent when its time is over, is missing after three times, and each is told once', async () => {
  begin();
  await pass(10, 'n1');
  await pass(29);
  expect(watch.stateOf('n1')).toBe('answers');
  await pass(2);
  expect(watch.stateOf('n1')).toBe('silent');
  expect(watch.silences.get('n1')).toBeCloseTo(41, 0);
  await pass(80);
  expect(changes).toEqual(['n1 answers', 'n1 silent', 'n1 missing']);
});

test('one renewal is enough to be heard of again, at once', async () => {
  begin();
  await pass(10, 'n1');
  await pass(50);
  leases.renew('n1');
  expect(watch.stateOf('n1')).toBe('answers');
  expect(watch.silences.size).toBe(0);
});

test('a daemon that is restarted within its time never falls silent', async () => {
  begin();
  await pass(30, 'n1');
  await pass(28);
  await pass(30, 'n1');
  expect(changes).toEqual(['n1 answers']);
});

test('an operator that has just begun gives a Lease its whole time, however old it is', async () => {
  leases.renew('n1');
  await clock.advance(1_000_000);
  begin();
  expect(watch.stateOf('n1')).toBe('unknown');
  await pass(39);
  expect(watch.stateOf('n1')).toBe('unknown');
  await pass(2);
  expect(watch.stateOf('n1')).toBe('silent');
});

test('a watch that broke without a word makes nobody silent: the API server is asked', async () => {
  begin();
  await pass(20, 'n1', 'n2');
  leases.watchBroken = true;
  await pass(300, 'n1');
  expect(watch.stateOf('n1')).toBe('answers');
  expect(watch.stateOf('n2')).toBe('missing');
});

test('while the API server does not answer nobody falls silent', async () => {
  begin();
  await pass(20, 'n1');
  leases.away = true;
  await pass(100);
  expect(watch.stateOf('n1')).toBe('answers');
  leases.away = false;
  leases.renew('n1');
  await pass(2);
  expect(changes).toEqual(['n1 answers']);
});

test('an operator that stood still gives all daemons their time again', async () => {
  begin();
  await pass(20, 'n1', 'n2', 'n3');
  clock.jump(3_600_000);
  await pass(39);
  expect(changes).toEqual(['n1 answers', 'n2 answers', 'n3 answers', 'n1 unknown', 'n2 unknown', 'n3 unknown']);
});

test('when most daemons fall silent at once they are believed after twice their time', async () => {
  begin();
  await pass(20, 'n1', 'n2', 'n3', 'n4');
  await pass(60, 'n4');
  expect(watch.stateOf('n1')).toBe('answers');
  await pass(12, 'n4');
  expect(['n1', 'n2', 'n3', 'n4'].map(node => watch.stateOf(node))).toEqual(['silent', 'silent', 'silent', 'answers']);
});

test('nor are the first of them believed before, whose Leases run out a little earlier than the rest', async () => {
  begin();
  await pass(10, 'n1', 'n2', 'n3', 'n4');
  await pass(10, 'n3', 'n4');
  await pass(55);
  expect(['n1', 'n2', 'n3', 'n4'].map(node => watch.stateOf(node))).toEqual(Array.from({length: 4}, () => 'answers'));
  await pass(20);
  expect(['n1', 'n2', 'n3', 'n4'].map(node => watch.stateOf(node))).toEqual(Array.from({length: 4}, () => 'silent'));
});

test('a Lease that goes with its Node is alive until its time is over, and then absent', async () => {
  begin();
  await pass(10, 'n1');
  leases.delete('n1');
  expect(watch.stateOf('n1')).toBe('answers');
  await pass(40);
  expect(watch.stateOf('n1')).toBe('absent');
  expect(watch.states).toEqual([]);
});

test('a change of the Lease that is no renewal is none', async () => {
  begin();
  await pass(10, 'n1');
  await pass(29);
  leases.touch('n1');
  await pass(3);
  expect(watch.stateOf('n1')).toBe('silent');
});

test('who must be sure reads the Lease, and only of a daemon that is silent', async () => {
  begin();
  await pass(10, 'n1');
  const {signal} = stop;
  const before = leases.reads;
  expect(await watch.confirmed('n1', signal)).toBe('answers');
  expect(leases.reads).toBe(before);
  await pass(60);
  leases.watchBroken = true;
  leases.renew('n1');
  expect(watch.stateOf('n1')).toBe('silent');
  expect(await watch.confirmed('n1', signal)).toBe('answers');
});

test('other Leases of the namespace are not looked at', async () => {
  begin();
  const election = aLease('n1');
  leases.stored.set('x', {...election, metadata: {...election.metadata, name: 'wherry-operator'}});
  leases.touch('x');
  await pass(5);
  expect(watch.states).toEqual([]);
});
