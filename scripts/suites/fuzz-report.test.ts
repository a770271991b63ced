import {expect, test} from '@jest/globals';
import {readFuzzOutput} from './fuzz-report.ts';

test('executions, coverage and new inputs are libFuzzer’s own counts', () => {
  const lines = [
    'INFO: seed corpus: files: 7 min: 241b max: 280b total: 1764b rss: 33Mb',
    '#8\tINITED cov: 212 ft: 260 corp: 5/1240b exec/s: 0 rss: 33Mb',
    '#4096\tpulse  cov: 240 ft: 390 corp: 31/9Kb lim: 280 exec/s: 2048 rss: 35Mb',
    '#99999\tDONE   cov: 251 ft: 402 corp: 33/10Kb lim: 280 exec/s: 3333 rss: 36Mb',
    'stat::number_of_executed_units: 99999',
    'stat::new_units_added:          33',
  ];
  expect(readFuzzOutput(lines)).toEqual({executions: 99_999, coverage: 251, added: 33, failedBy: undefined});
});

test('an input that fails is named', () => {
  const lines = [
    '#50\tNEW    cov: 30 ft: 40 corp: 2/2b lim: 4 exec/s: 0 rss: 33Mb L: 1/1 MS: 1 ChangeByte-',
    '==7== ERROR: libFuzzer: deadly signal',
    "artifact_prefix='/x/'; Test unit written to /x/crash-0a",
  ];
  expect(readFuzzOutput(lines)).toEqual({executions: 50, coverage: 30, added: 0, failedBy: '/x/crash-0a'});
});

test('a program that never ran has reached nothing', () => {
  expect(readFuzzOutput([])).toEqual({executions: 0, coverage: 0, added: 0, failedBy: undefined});
});
