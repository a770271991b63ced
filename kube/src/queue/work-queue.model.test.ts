import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {setImmediate} from 'node:timers/promises';
import {ManualClock} from '../testing/manual-clock.ts';
import {BackOff} from './rate-limiter.ts';
import {WorkQueue} from './work-queue.ts';

/** The queue as its contract says it is, without any cleverness. */
class Model {
  readonly waiting: string[] = [];
  /** Whether it was added again meanwhile. */
  readonly working = new Map<string, boolean>();
  readonly due = new Map<string, number>();
  readonly failures = new Map<string, number>();
  /** What those who take were given, in the order in which they came. */
  readonly handedOut: string[] = [];
  takers = 0;
  now = 0;
  closed = false;

  add(key: string): void {
    if (this.closed) return;
    if (this.working.has(key)) this.working.set(key, true);
    else if (!this.waiting.includes(key)) this.waiting.push(key);
    this.#handOut();
  }

  addAfter(key: string, ms: number): void {
    if (this.closed) return;
    if (ms <= 0) this.add(key);
    else if (this.now + ms < (this.due.get(key) ?? Number.POSITIVE_INFINITY)) {
      // Of two that fall due at one moment, the one that was told first comes first.
      this.due.delete(key);
      this.due.set(key, this.now + ms);
    }
  }

  retry(key: string): void {
    const failures = this.failures.get(key) ?? 0;
    this.failures.set(key, failures + 1);
    this.addAfter(key, 5 * 2 ** failures);
  }

  take(): void {
    if (this.closed) return;
    this.takers += 1;
    this.#handOut();
  }

  done(key: string): void {
    const again = this.working.get(key);
    this.working.delete(key);
    if (again === true) this.add(key);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [first] = [...this.due].filter(([, due]) => due <= end).toSorted(([, one], [, other]) => one - other);
      if (first === undefined) break;
      this.now = first[1];
      this.due.delete(first[0]);
      this.add(first[0]);
    }
    this.now = end;
  }

  close(): void {
    this.closed = true;
    this.waiting.length = 0;
    this.due.clear();
    this.takers = 0;
  }

  #handOut(): void {
    while (this.takers > 0 && this.waiting.length > 0) {
      const key = this.waiting.shift() ?? '';
      this.working.set(key, false);
      this.handedOut.push(key);
      this.takers -= 1;
    }
  }
}

/** The queue, and what those who take from it were given. */
class Real {
  readonly clock = new ManualClock();
  readonly handedOut: string[] = [];
  released = 0;
  readonly queue: WorkQueue;

  constructor() {
    const now = (): number => this.clock.monotonic();
    const limiter = new BackOff({now, random: () => 0.5, perSecond: 1e9, burst: 1e9});
    this.queue = new WorkQueue({limiter, now, after: (ms, run) => this.clock.schedule(ms, run)});
  }

  take(): void {
    void this.queue.take().then(key => this.#given(key));
  }

  #given(key: string | undefined): void {
    if (key === undefined) this.released += 1;
    else this.handedOut.push(key);
  }
}

type Command = fc.AsyncCommand<Model, Real>;

const command = (
  text: string,
  model: (model: Model) => void,
  real: (real: Real) => void | Promise<void>,
  check: (model: Model) => boolean = () => true,
): Command => ({
  check,
  toString: () => text,
  run: async (expected, actual) => {
    model(expected);
    await real(actual);
    await setImmediate();
    expect(actual.queue.depth).toBe(expected.waiting.length);
    // Fair: in the order in which they were added; and never one that is worked on.
    expect(actual.handedOut).toEqual(expected.handedOut);
    expect(new Set([...expected.working.keys(), ...expected.waiting]).size).toBe(
      expected.working.size + expected.waiting.length,
    );
  },
});

const key = fc.constantFrom('a', 'b', 'c');
const ms = fc.integer({min: 0, max: 400});

const commands = [
  key.map(one =>
    command(
      `add ${one}`,
      model => model.add(one),
      ({queue}) => queue.add(one),
    ),
  ),
  fc.tuple(key, ms).map(([one, after]) =>
    command(
      `add ${one} after ${after}`,
      model => model.addAfter(one, after),
      ({queue}) => queue.addAfter(one, after),
    ),
  ),
  key.map(one =>
    command(
      `retry ${one}`,
      model => model.retry(one),
      ({queue}) => queue.retry(one),
    ),
  ),
  key.map(one =>
    command(
      `forget ${one}`,
      model => void model.failures.delete(one),
      ({queue}) => queue.forget(one),
    ),
  ),
  fc.constant(
    command(
      'take',
      model => model.take(),
      real => real.take(),
    ),
  ),
  key.map(one =>
    command(
      `done ${one}`,
      model => model.done(one),
      ({queue}) => queue.done(one),
      model => model.working.has(one),
    ),
  ),
  ms.map(one =>
    command(
      `pass ${one}`,
      model => model.pass(one),
      ({clock}) => clock.advance(one),
    ),
  ),
];

test('whatever is asked of it, the queue does what its contract says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, {maxCommands: 80}), async script => {
      const [model, real] = [new Model(), new Real()];
      await fc.asyncModelRun(() => ({model, real}), script);
      const takers = model.takers;
      model.close();
      real.queue.close();
      await setImmediate();
      expect([real.queue.depth, real.clock.pending, real.released]).toEqual([0, 0, takers]);
      real.queue.add('late');
      real.queue.addAfter('late', 1);
      for (const one of model.working.keys()) real.queue.done(one);
      expect([real.queue.depth, real.clock.pending]).toEqual([0, 0]);
    }),
    {numRuns: 500},
  );
}, 60_000);
