import {expect, test} from '@jest/globals';
import {sameJson, statusPatch} from './status-patch.ts';

test('an unchanged status needs no patch', () => {
  expect(statusPatch({phase: 'Running', list: [{a: 1}]}, {phase: 'Running', list: [{a: 1}]})).toBeUndefined();
  expect(statusPatch(undefined, {})).toBeUndefined();
});

test('a patch names only what changed', () => {
  expect(statusPatch({phase: 'Pending', nodeName: 'n1'}, {phase: 'Running', nodeName: 'n1'})).toEqual({
    phase: 'Running',
  });
});

test('what is gone is named with null', () => {
  expect(statusPatch({created: true, startFailure: {consecutiveFailCount: 1}}, {created: true})).toEqual({
    startFailure: null,
  });
  expect(statusPatch({a: 1}, {a: undefined})).toEqual({a: null});
});

test('a key that leaves a nested object is named with null, because a merge would keep it', () => {
  expect(statusPatch({activePods: {one: 'n1'}}, {activePods: {two: 'n2'}})).toEqual({
    activePods: {one: null, two: 'n2'},
  });
});

test('a list is replaced whole', () => {
  expect(statusPatch({conditions: [{type: 'A'}, {type: 'B'}]}, {conditions: [{type: 'B'}]})).toEqual({
    conditions: [{type: 'B'}],
  });
});

test.each([
  ['the order of keys does not matter', {a: 1, b: 2}, {b: 2, a: 1}, true],
  ['a key without a value is no key', {a: 1, b: undefined}, {a: 1}, true],
  ['the order of a list matters', [1, 2], [2, 1], false],
  ['a list is not an object', [], {}, false],
  ['null is not an empty object', null, {}, false],
  ['a longer list is another list', [1], [1, 2], false],
])('%s', (_sentence, a, b, same) => {
  expect(sameJson(a, b)).toBe(same);
});
