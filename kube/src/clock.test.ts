import {expect, test} from '@jest/globals';
import {pause, systemClock} from './clock.ts';
import {ManualClock, settle} from './testing/manual-clock.ts';

test('a pause ends when its time is over, not before', async () => {
  const clock = new ManualClock();
  let over = false;
  const pausing = pause(clock, 100).then(() => (over = true));
  await clock.advance(99);
  expect(over).toBe(false);
  await clock.advance(1);
  expect(over).toBe(true);
  await pausing;
});

test('a pause ends at once when the signal aborts, and leaves no timer', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const pausing = pause(clock, 100, stop.signal);
  await settle();
  stop.abort();
  await pausing;
  expect(clock.pending).toBe(0);
});

test('a pause with an aborted signal does not begin', async () => {
  const clock = new ManualClock();
  await pause(clock, 100, AbortSignal.abort());
  expect(clock.pending).toBe(0);
});

test('a delay longer than a Node timer can hold does not fire at once', async () => {
  let fired = false;
  const cancel = systemClock.schedule(2 ** 40, () => (fired = true));
  await new Promise(resolve => setTimeout(resolve, 20));
  cancel();
  expect(fired).toBe(false);
});

test('the monotonic time does not follow the wall clock', () => {
  const clock = new ManualClock(1000);
  clock.setWall(0);
  expect([clock.now(), clock.monotonic()]).toEqual([0, 0]);
});
