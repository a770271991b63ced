import {expect, test} from '@jest/globals';
import {readGoOutput} from './go-report.ts';

const lines = (...events: object[]): string[] => events.map(event => JSON.stringify({Package: 'p', ...event}));

test('counts what passed and names what failed', () => {
  const output = lines(
    {Action: 'pass', Test: 'TestA'},
    {Action: 'fail', Test: 'TestB'},
    {Action: 'fail'},
    {Action: 'pass', Test: 'TestC'},
  );
  expect(readGoOutput(output)).toEqual({passed: 2, failed: ['TestB'], skipped: []});
});

test('takes the reason of a skipped test from what it said', () => {
  const output = lines(
    {Action: 'output', Test: 'TestA', Output: '=== RUN   TestA\n'},
    {Action: 'output', Test: 'TestA', Output: '    a_test.go:7: needs root\n'},
    {Action: 'output', Test: 'TestA', Output: '--- SKIP: TestA (0.00s)\n'},
    {Action: 'skip', Test: 'TestA'},
  );
  expect(readGoOutput(output).skipped).toEqual([{name: 'TestA', reason: 'needs root'}]);
});

test('a package that does not build is a failure', () => {
  const output = ['# p', './a.go:1:1: syntax error', ...lines({Action: 'fail'})];
  expect(readGoOutput(output).failed).toEqual(['p does not build']);
});
