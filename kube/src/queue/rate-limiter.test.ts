import {expect, test} from '@jest/globals';
import {BackOff} from './rate-limiter.ts';

test('a key that keeps failing waits 5 ms, then twice as long each time, up to 1000 s', () => {
  const limiter = new BackOff({random: () => 0.5, now: () => 0, perSecond: 1e9, burst: 1e9});
  const delays = Array.from({length: 20}, () => limiter.delayMs('a'));
  expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
  expect(delays.at(-1)).toBe(1_000_000);
});

test('a key that did well begins anew, and others are not concerned', () => {
  const limiter = new BackOff({random: () => 0.5, now: () => 0});
  limiter.delayMs('a');
  limiter.delayMs('a');
  limiter.delayMs('b');
  limiter.forget('a');
  expect([limiter.failures('a'), limiter.failures('b')]).toEqual([0, 1]);
  expect(limiter.delayMs('a')).toBe(5);
  expect(limiter.delayMs('b')).toBe(10);
});

test('many keys that fail at once are spread: 100 go, then ten in a second', () => {
  let now = 0;
  const limiter = new BackOff({random: () => 0.5, now: () => now});
  const delays = Array.from({length: 120}, (_, index) => limiter.delayMs(String(index)));
  expect(Math.max(...delays.slice(0, 100))).toBe(5);
  expect(delays[100]).toBeCloseTo(100);
  expect(delays[119]).toBeCloseTo(2000);
  now = 60_000;
  expect(limiter.delayMs('later')).toBe(5);
});

test('a key that failed for years does not overflow', () => {
  const limiter = new BackOff({random: () => 0.5, now: () => 0, perSecond: 1e9, burst: 1e9});
  for (let failure = 0; failure < 5000; failure += 1) limiter.delayMs('a');
  expect(limiter.delayMs('a')).toBe(1_000_000);
});

test('what failed together is not tried again together: the back-off varies from half to one and a half', () => {
  const delays = [0, 0.5, 0.999].map(at => new BackOff({now: () => 0, random: () => at}).delayMs('a'));
  expect(delays).toEqual([2.5, 5, expect.closeTo(7.5, 1)]);
});

test('a caller may bound the back-off of one try, and the failures still count', () => {
  const limiter = new BackOff({random: () => 0.5, now: () => 0, perSecond: 1e9, burst: 1e9});
  for (let failure = 0; failure < 10; failure += 1) limiter.delayMs('a');
  expect([limiter.delayMs('a', 100), limiter.delayMs('a')]).toEqual([100, 10_240]);
});
