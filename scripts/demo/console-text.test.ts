import {expect, test} from '@jest/globals';
import {withoutQueries} from './console-text.ts';

test('colours of the boot log stay', () => {
  const line = '[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mmulti-user.target\x1b[0m.';
  expect(withoutQueries(line)).toBe(line);
});

test('questions to the terminal go: their answers would be typed into the reader’s shell', () => {
  expect(withoutQueries('\x1b[!p\x1b]104\x1b\\\x1b[?7h\x1b[6n\x1b[32766;32766H\x1b[6nlogin:')).toBe('login:');
});

test('the screen is not cleared and the cursor not moved', () => {
  expect(withoutQueries('\x1b[H\x1b[J\x1b[2Jboot\x1b7\x1b8')).toBe('boot');
});
