import {expect, test} from '@jest/globals';
import {readArguments} from './arguments.ts';

const names = ['check', 'unit', 'rust'];

test('runs every suite by default', () => {
  expect(readArguments([], names)).toEqual(names);
});

test('runs the chosen suites in their own order', () => {
  expect(readArguments(['--only', 'rust,check'], names)).toEqual(['check', 'rust']);
  expect(readArguments(['--only=unit'], names)).toEqual(['unit']);
});

test.each(['--lab', '--long'])('runs some of those that %s stands for', which => {
  expect(readArguments([which, '--only', 'unit'], names)).toEqual(['unit']);
});

test('refuses a suite or an argument that it does not know, naming those it does', () => {
  expect(() => readArguments(['--only', 'unit,e3e'], names)).toThrow(
    'there is no suite e3e; there are check, unit, rust',
  );
  expect(() => readArguments(['--only'], names)).toThrow('there is no suite');
  expect(() => readArguments(['--fast'], names)).toThrow('unknown argument --fast');
});
