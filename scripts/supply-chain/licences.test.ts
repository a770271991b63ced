import {expect, test} from '@jest/globals';
import {isAllowed} from './licences.ts';

test.each([
  ['MIT', true],
  ['GPL-3.0-only', false],
  ['MIT OR GPL-3.0-only', true],
  ['GPL-3.0-only OR MIT', true],
  ['MIT AND GPL-3.0-only', false],
  ['MIT/Apache-2.0', true],
  ['(MIT OR GPL-2.0-only) AND Unicode-3.0', true],
  ['(MIT AND GPL-2.0-only) OR Zlib', true],
  ['Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT', true],
  ['Apache-2.0 WITH LLVM-exception', true],
  ['GPL-2.0-only WITH Classpath-exception-2.0', false],
  ['MIT AND (ISC OR (GPL-3.0-only AND MIT))', true],
  ['SEE LICENSE IN LICENSE.txt', false],
  ['UNLICENSED', false],
  ['', false],
  ['(MIT', false],
  ['MIT ISC', false],
])('%s: %p', (expression, expected) => {
  expect(isAllowed(expression)).toBe(expected);
});
