import {beforeEach, expect, test} from '@jest/globals';
import {IoRetry} from './io-retry.ts';

let now: number;
let retry: IoRetry;
beforeEach(() => {
  now = 1_000_000;
  retry = new IoRetry();
  retry.see(undefined, now);
});

/** Lets the guest run on as soon as it may, and fail again at once, before anybody has seen it run. */
const failAgain = (): number => {
  const waited = retry.dueMs(now) ?? Number.NaN;
  now += waited;
  retry.tried(now);
  retry.see('ioError', now);
  return waited;
};

test('a guest that runs, or that somebody paused, is never due', () => {
  retry.see('user', now + 1);
  expect(retry.dueMs(now + 1_000_000)).toBeUndefined();
  retry.tried(now);
  expect(retry.trialMs(now)).toBeUndefined();
});

test('a failed disk is tried ever more rarely, at least once a minute', () => {
  retry.see('ioError', now);
  expect([1, 2, 3, 4, 5, 6].map(failAgain)).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
});

test('looking at it does not put a try off', () => {
  retry.see('ioError', now);
  retry.see('ioError', now + 3000);
  expect(retry.dueMs(now + 3000)).toBe(2000);
  expect(retry.dueMs(now + 9000)).toBe(0);
});

test('a guest that runs for a moment and fails again goes on waiting longer', () => {
  retry.see('ioError', now);
  failAgain();
  retry.see(undefined, now);
  expect(retry.dueMs(now)).toBeUndefined();
  now += 30_000;
  retry.see('ioError', now);
  expect(retry.dueMs(now)).toBe(10_000);
});

test('a fault after a minute of calm is a new one', () => {
  retry.see('ioError', now);
  failAgain();
  failAgain();
  retry.see(undefined, now);
  now += 60_000;
  retry.see('ioError', now);
  expect(retry.dueMs(now)).toBe(5000);
});

test('whether a try has helped is known after two seconds', () => {
  retry.see('ioError', now);
  now += 5000;
  retry.tried(now);
  expect(retry.trialMs(now + 500)).toBe(1500);
  expect(retry.trialMs(now + 2000)).toBeUndefined();
});
