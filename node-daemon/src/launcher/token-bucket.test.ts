import {expect, test} from '@jest/globals';
import {TokenBucket} from './token-bucket.ts';

test('a bucket gives its burst at once, and then what comes in with time', () => {
  let now = 0;
  const bucket = new TokenBucket({burst: 3, perSecond: 2, monotonic: () => now});
  expect(bucket.take(3)).toBe(true);
  expect(bucket.take(1)).toBe(false);
  now = 499;
  expect(bucket.take(1)).toBe(false);
  now = 500;
  expect(bucket.take(1)).toBe(true);
  expect(bucket.take(1)).toBe(false);
});

test('a bucket never holds more than its burst', () => {
  let now = 0;
  const bucket = new TokenBucket({burst: 3, perSecond: 2, monotonic: () => now});
  now = 3_600_000;
  expect(bucket.take(4)).toBe(false);
  expect(bucket.take(3)).toBe(true);
  expect(bucket.take(1)).toBe(false);
});
