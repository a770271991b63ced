import {expect, test} from '@jest/globals';
import {type JestReport, readJestReport} from './jest-report.ts';

const report = (...tests: [fullName: string, status: string][]): JestReport => ({
  numPassedTests: tests.filter(([, status]) => status === 'passed').length,
  testResults: [
    {
      name: 'some/file.test.ts',
      status: tests.some(([, status]) => status === 'failed') ? 'failed' : 'passed',
      assertionResults: tests.map(([fullName, status]) => ({fullName, status})),
    },
  ],
});

test('counts what passed and names what failed', () => {
  const result = readJestReport(report(['a', 'passed'], ['b', 'failed'], ['c', 'passed']));
  expect(result).toEqual({passed: 2, failed: ['b'], skipped: []});
});

test('takes the reason of a skipped test from the end of its name', () => {
  const {skipped} = readJestReport(report(['opens a tap (needs root)', 'pending']));
  expect(skipped).toEqual([{name: 'opens a tap', reason: 'needs root'}]);
});

test('says so when a skipped test keeps its reason to itself', () => {
  const {skipped} = readJestReport(report(['opens a tap', 'pending']));
  expect(skipped).toEqual([{name: 'opens a tap', reason: 'its name does not say why'}]);
});

test('a file that cannot be run is a failure', () => {
  const broken = {name: 'some/broken.test.ts', status: 'failed', assertionResults: []};
  const {failed} = readJestReport({numPassedTests: 0, testResults: [broken]});
  expect(failed).toEqual(['some/broken.test.ts could not be run']);
});

test('a file that breaks after its tests have passed is a failure', () => {
  const broken = {name: 'f', status: 'failed', assertionResults: [{fullName: 'a', status: 'passed'}]};
  expect(readJestReport({numPassedTests: 1, testResults: [broken]}).failed).toHaveLength(1);
});
