import {expect, test} from '@jest/globals';
import {backOffMs, nextStartFailure, retryAt} from './start-failure.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const never = (): number => 0;
const failedEarly = {uid: 'one', failed: true, hasRun: false};

test('the first early failure waits ten seconds', () => {
  expect(nextStartFailure(undefined, failedEarly, now, never)).toEqual({
    consecutiveFailCount: 1,
    lastFailedVMIUID: 'one',
    retryAfterTimestamp: '2026-01-01T00:00:10Z',
  });
});

test('one run is counted once', () => {
  const first = nextStartFailure(undefined, failedEarly, now, never);
  expect(nextStartFailure(first, failedEarly, now + 60_000, never)).toBe(first);
});

test('the next run that fails early counts up', () => {
  const first = nextStartFailure(undefined, failedEarly, now, never);
  expect(nextStartFailure(first, {...failedEarly, uid: 'two'}, now, never)).toEqual({
    consecutiveFailCount: 2,
    lastFailedVMIUID: 'two',
    retryAfterTimestamp: '2026-01-01T00:00:40Z',
  });
});

test('a run that reached Running ends the count, even when it failed later', () => {
  const first = nextStartFailure(undefined, failedEarly, now, never);
  expect(nextStartFailure(first, {uid: 'two', failed: true, hasRun: true}, now, never)).toBeUndefined();
});

test('between two runs the count stands', () => {
  const first = nextStartFailure(undefined, failedEarly, now, never);
  expect(nextStartFailure(first, undefined, now, never)).toBe(first);
  expect(nextStartFailure(first, {uid: 'two', failed: false, hasRun: false}, now, never)).toBe(first);
});

test.each([
  [1, 10],
  [2, 40],
  [3, 90],
  [5, 250],
  [6, 300],
  [100, 300],
])('after %d failures the wait is %d s, never more than 300 s with jitter', (failures, seconds) => {
  expect(backOffMs(failures, never)).toBe(seconds * 1000);
  expect(backOffMs(failures, () => 0.999)).toBeLessThanOrEqual(300_000);
  expect(backOffMs(failures, () => 0.999)).toBeLessThanOrEqual(seconds * 1500);
});

test('a retry never comes early because the API keeps whole seconds', () => {
  const failure = nextStartFailure(undefined, failedEarly, now + 1, never);
  expect(retryAt(failure)).toBeGreaterThanOrEqual(now + 10_001);
});

test('without a timestamp, or with a broken one, nothing is held back', () => {
  expect(retryAt(undefined)).toBeUndefined();
  expect(retryAt({retryAfterTimestamp: 'soon'})).toBeUndefined();
});
