import {expect, test} from '@jest/globals';
import {type Figure, quantity, rowsOf, table, verdict} from './figure.ts';

const figure = (overrides: Partial<Figure> = {}): Figure => ({what: 'a start', value: 1.234, unit: 's', ...overrides});

test.each<[number, 's' | 'MiB' | 'writes' | 'cores' | '', string]>([
  [1.239, 's', '1.24 s'],
  [45, 'MiB', '45 MiB'],
  [8, 'writes', '8 writes'],
  [0.0123, 'cores', '0.012 cores'],
  [1.1, '', '1.1'],
])('%d of %s reads %s', (value, unit, text) => {
  expect(quantity(value, unit)).toBe(text);
});

test('a goal is met when the number is no higher', () => {
  expect(verdict(figure({value: 8, goal: 8}))).toBe('met');
  expect(verdict(figure({value: 8.01, goal: 8}))).toBe('missed');
  expect(verdict(figure())).toBe('');
});

test('a row has the number, its goal and what to know', () => {
  const section = {title: 't', how: 'h', figures: [figure({goal: 2, note: 'n = 20'}), figure()]};
  expect(rowsOf(section)).toEqual([
    ['a start', '1.23 s', '≤ 2 s', 'met', 'n = 20'],
    ['a start', '1.23 s', '', '', ''],
  ]);
});

test('why a goal is missed is told when it is', () => {
  const why = 'a label more';
  const rows = rowsOf({
    title: 't',
    how: 'h',
    figures: [figure({goal: 1, why}), figure({goal: 1, note: 'n = 5', why}), figure({goal: 2, why})],
  });
  expect(rows.map(row => row.at(-1))).toEqual(['a label more', 'n = 5; a label more', '']);
});

test('columns stand under each other', () => {
  expect(
    table([
      ['a', 'bb', 'c'],
      ['aaa', 'b', ''],
    ]),
  ).toEqual(['a    bb  c', 'aaa  b']);
});
