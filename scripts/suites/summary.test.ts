import {expect, test} from '@jest/globals';
import type {SuiteResult} from './suite.ts';
import {summary} from './summary.ts';

const result = (overrides: Partial<SuiteResult>): SuiteResult => ({
  suite: 'unit',
  passed: 3,
  failed: [],
  skipped: [],
  took: 1500,
  ...overrides,
});

test('ends with the sums over all suites, alone on their line', () => {
  const lines = summary([
    result({skipped: [{name: 'a', reason: 'no root'}]}),
    result({suite: 'rust', passed: 40, failed: ['b', 'c']}),
  ]);
  expect(lines.at(-1)).toBe('43 passed, 2 failed, 1 skipped');
});

test('prints the reason of every skipped test', () => {
  const lines = summary([result({skipped: [{name: 'opens a tap', reason: 'needs root'}]})]);
  expect(lines).toContain('  unit: opens a tap — needs root');
});

test('names the tests that failed beside the sums, where a reader of a long log looks', () => {
  expect(summary([result({failed: ['keeps the guest running']})])).toContain('  unit: keeps the guest running');
});

test('has a line per suite with its time', () => {
  expect(summary([result({})])).toContain('unit        3       0        0  1.5 s');
});
