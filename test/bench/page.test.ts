import {expect, test} from '@jest/globals';
import {page} from './page.ts';

test('a page names the machine and the date, and has a table for each section', () => {
  const text = page({
    date: '2026-11-26',
    machine: '2 cores, emulated',
    sections: [
      {
        title: 'Start',
        how: 'from here to there',
        figures: [{what: 'a start', value: 1.5, unit: 's', goal: 1, note: 'n = 20'}],
        details: [
          ['step', 'p50'],
          ['one', '1 s'],
        ],
      },
    ],
  });
  expect(text.split('\n').slice(4)).toEqual([
    'Measured on 2026-11-26: 2 cores, emulated.',
    '',
    '## Start',
    '',
    'From here to there.',
    '',
    '| what | measured | goal |  |  |',
    '| --- | --- | --- | --- | --- |',
    '| a start | 1.5 s | ≤ 1 s | missed | n = 20 |',
    '',
    '| step | p50 |',
    '| --- | --- |',
    '| one | 1 s |',
    '',
  ]);
});
