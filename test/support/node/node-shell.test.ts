import {expect, test} from '@jest/globals';
import {processIn} from './node-shell.ts';

const row = (program: string): string =>
  `4711 (${program}) S 1 4711 4711 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 4 0 12345 1 2 3 Rss:   2048 kB Pss:   1024 kB `;

test('reads what the kernel says of a process', () => {
  expect(processIn(row('wherry-launcher'), 1_000_000)).toEqual([
    {
      pid: 4711,
      program: 'wherry-launcher',
      cpuSeconds: 3,
      startedAt: 1_123_450,
      resident: 2 * 1024 * 1024,
      proportional: 1024 * 1024,
    },
  ]);
});

test('a name with parentheses and blanks shifts no field', () => {
  expect(processIn(row('a) S (b'), 0)[0]).toMatchObject({program: 'a) S (b', cpuSeconds: 3});
});

test('a process that ended meanwhile is none', () => {
  expect(processIn('', 0)).toEqual([]);
  expect(processIn('4711 (gone) Z 1 4711', 0)).toEqual([]);
});
