import {expect, test} from '@jest/globals';
import {mean, percentile} from './statistics.ts';

const oneToTwenty = Array.from({length: 20}, (_, index) => 20 - index);

test.each<[number, number]>([
  [0.5, 10],
  [0.95, 19],
  [1, 20],
  [0, 1],
])('percentile %d of one to twenty is %d', (share, value) => {
  expect(percentile(oneToTwenty, share)).toBe(value);
});

test('numbers are sorted as numbers, and the list is left alone', () => {
  const values = [100, 9];
  expect(percentile(values, 0.5)).toBe(9);
  expect(values).toEqual([100, 9]);
});

test('nothing measured is no zero', () => {
  expect(() => percentile([], 0.5)).toThrow(RangeError);
  expect(() => mean([])).toThrow(RangeError);
});

test('the mean', () => {
  expect(mean([1, 2, 6])).toBe(3);
});
