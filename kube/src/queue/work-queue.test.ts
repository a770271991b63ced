import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {ManualClock} from '../testing/manual-clock.ts';
import {BackOff} from './rate-limiter.ts';
import {WorkQueue} from './work-queue.ts';

const make = (clock = new ManualClock()) => {
  const now = (): number => clock.monotonic();
  const queue = new WorkQueue({
    limiter: new BackOff({now, random: () => 0.5}),
    now,
    after: (ms, run) => clock.schedule(ms, run),
  });
  return {clock, queue};
};

/** What can be taken right now, all of it being worked on afterwards. */
const takeAll = async (queue: WorkQueue): Promise<string[]> => {
  const taken: string[] = [];
  while (queue.depth > 0) taken.push((await queue.take()) ?? '');
  return taken;
};

test('a key stands in the queue once, however often it is added, and the first comes first', async () => {
  const {queue} = make();
  for (const key of ['a', 'b', 'a', 'a', 'c']) queue.add(key);
  expect(await takeAll(queue)).toEqual(['a', 'b', 'c']);
});

test('a key added while it is worked on is handed out again only when that work is done', async () => {
  const {queue} = make();
  queue.add('a');
  await queue.take();
  queue.add('a');
  queue.add('a');
  expect(queue.depth).toBe(0);
  queue.done('a');
  expect(await takeAll(queue)).toEqual(['a']);
  queue.done('a');
  expect(queue.depth).toBe(0);
});

test('who takes from an empty queue gets the next key that is added', async () => {
  const {queue} = make();
  const first = queue.take();
  const second = queue.take();
  queue.add('a');
  queue.add('b');
  expect([await first, await second]).toEqual(['a', 'b']);
});

test('a delayed key comes when it is due; the earliest of several delays counts', async () => {
  const {queue, clock} = make();
  queue.addAfter('a', 100);
  queue.addAfter('a', 30);
  queue.addAfter('a', 60);
  await clock.advance(29);
  expect(queue.depth).toBe(0);
  await clock.advance(1);
  expect(await takeAll(queue)).toEqual(['a']);
  queue.done('a');
  await clock.advance(1000);
  expect(queue.depth).toBe(0);
});

test('a key that failed comes again after its back-off', async () => {
  const {queue, clock} = make();
  queue.add('a');
  await queue.take();
  queue.retry('a');
  queue.done('a');
  await clock.advance(4);
  expect(queue.depth).toBe(0);
  await clock.advance(1);
  expect(queue.depth).toBe(1);
});

test('a closed queue lets its takers go, takes nothing more in and leaves no timers', async () => {
  const {queue, clock} = make();
  const waiting = queue.take();
  queue.addAfter('later', 100);
  queue.close();
  queue.add('a');
  queue.addAfter('b', 5);
  expect(await waiting).toBeUndefined();
  expect(await queue.take()).toBeUndefined();
  expect([queue.depth, clock.pending]).toEqual([0, 0]);
});

test('the longest work under way is known, for a key that hangs', async () => {
  const {queue, clock} = make();
  expect(queue.longestWorkMs).toBe(0);
  queue.add('a');
  await queue.take();
  await clock.advance(5000);
  expect(queue.longestWorkMs).toBe(5000);
});

test('whatever the order of calls: never one key twice at work, and none is lost', async () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const call = fc.oneof(
    fc.record({add: key}),
    fc.record({later: key, ms: fc.integer({min: 0, max: 50})}),
    fc.record({retry: key}),
    fc.record({pass: fc.integer({min: 1, max: 40})}),
    fc.constant('take' as const),
    fc.record({done: key}),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(call, {maxLength: 40}), async calls => {
      const {queue, clock} = make();
      const working = new Set<string>();
      /** Asked for since it was last handed out. */
      const owed = new Set<string>();
      for (const one of calls) {
        if (one === 'take') {
          if (queue.depth === 0) continue;
          const taken = (await queue.take()) ?? '';
          expect(working.has(taken)).toBe(false);
          working.add(taken);
          owed.delete(taken);
        } else if ('add' in one) {
          queue.add(one.add);
          owed.add(one.add);
        } else if ('later' in one) {
          queue.addAfter(one.later, one.ms);
          owed.add(one.later);
        } else if ('retry' in one) {
          queue.retry(one.retry);
          owed.add(one.retry);
        } else if ('pass' in one) await clock.advance(one.pass);
        else if (working.delete(one.done)) queue.done(one.done);
      }
      for (const one of working) queue.done(one);
      await clock.advance(2_000_000);
      const left = await takeAll(queue);
      expect(new Set(left).size).toBe(left.length);
      for (const one of owed) expect(left).toContain(one);
    }),
    {numRuns: 60},
  );
});
