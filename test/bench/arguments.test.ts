import {expect, test} from '@jest/globals';
import {readArguments} from './arguments.ts';

const names = ['idle', 'start', 'memory'];

test('measures everything, and leaves the page alone', () => {
  expect(readArguments([], names)).toEqual({only: names, writePage: false});
});

test('measures what is asked for, in its own order', () => {
  expect(readArguments(['--only', 'memory,idle'], names).only).toEqual(['idle', 'memory']);
  expect(readArguments(['--only=start', '--page'], names)).toEqual({only: ['start'], writePage: true});
});

test.each([
  [['--only', 'speed'], 'speed cannot be measured; there are idle, start, memory'],
  [['--fast'], 'unknown argument --fast'],
  [['--only'], 'cannot be measured'],
])('%j is refused with what there is', (args, text) => {
  expect(() => readArguments(args, names)).toThrow(text);
});
