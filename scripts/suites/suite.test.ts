import {expect, test} from '@jest/globals';
import {groupsOf, type Suite} from './suite.ts';

const suite = (name: string, beside?: boolean): Suite => ({
  name,
  ...(beside === undefined ? {} : {beside}),
  run: async () => ({passed: 0, failed: [], skipped: []}),
});

const names = (suites: readonly Suite[]) => groupsOf(suites).map(group => group.map(({name}) => name));

test('suites run one after the other, but for those that run beside the one before', () => {
  expect(names([])).toEqual([]);
  expect(names([suite('a'), suite('b', false), suite('c')])).toEqual([['a'], ['b'], ['c']]);
  expect(names([suite('a'), suite('b', true), suite('c', true), suite('d')])).toEqual([['a', 'b', 'c'], ['d']]);
});

test('one whose neighbour was not chosen runs alone', () => {
  expect(names([suite('b', true), suite('c')])).toEqual([['b'], ['c']]);
});
