import {expect, test} from '@jest/globals';
import type {Selection} from '../client/options.ts';
import {aConfigMap} from '../testing/objects.ts';
import {willHearOf} from './selection.ts';

const web = aConfigMap('web', {labels: {app: 'boat', tier: 'front'}});
const ofWeb = (selection: Selection, held = false): boolean =>
  willHearOf(selection, {type: 'stored', object: web}, held);

test.each<[string, Selection, boolean]>([
  ['everything', {}, true],
  ['its namespace', {namespace: 'default'}, true],
  ['another namespace', {namespace: 'other'}, false],
  ['its label', {labelSelector: 'app=boat'}, true],
  ['all its labels', {labelSelector: 'app=boat, tier==front'}, true],
  ['another value of its label', {labelSelector: 'app=ship'}, false],
  ['a label that it has not', {labelSelector: 'app=boat,kind=x'}, false],
  ['what cannot be told here', {labelSelector: 'app in (boat,ship)'}, true],
  ['what is not a label', {labelSelector: 'app!=ship'}, true],
  ['a field', {fieldSelector: 'status.nodeName=n1'}, false],
])('a cache of %s hears of a write: %#', (_, selection, hears) => {
  expect(ofWeb(selection)).toBe(hears);
});

test('a cache hears of every write to an object that it holds, whatever it selects', () => {
  expect(ofWeb({fieldSelector: 'status.nodeName=n1', labelSelector: 'app=ship'}, true)).toBe(true);
});

test('a cache does not wait for the deletion of an object that it does not hold', () => {
  expect(willHearOf({}, {type: 'removed', key: {name: 'x'}, uid: 'u'}, false)).toBe(false);
});
