import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import type {ConfigMap} from '../objects.ts';
import {aConfigMap} from '../testing/objects.ts';
import {type Change, differences, Store} from './store.ts';

const owner = (object: ConfigMap): string[] => Object.values(object.metadata.labels ?? {});
const store = (): Store<ConfigMap> => new Store<ConfigMap>({owner});
const owned = (name: string, by: string, version = '1'): ConfigMap =>
  aConfigMap(name, {labels: {by}, resourceVersion: version});

const told = (changes: Iterable<Change<ConfigMap>>): string[] =>
  [...changes].map(change => `${change.type} ${change.object.metadata.name}`);

test('an index finds objects by their present value only', () => {
  const one = store();
  one.put(owned('a', 'x'));
  one.put(owned('b', 'x'));
  expect(one.byIndex('owner', 'x').map(object => object.metadata.name)).toEqual(['a', 'b']);
  one.put(owned('a', 'y', '2'));
  expect(one.byIndex('owner', 'x').map(object => object.metadata.name)).toEqual(['b']);
  one.delete(owned('b', 'x'));
  expect(one.byIndex('owner', 'x')).toEqual([]);
});

test('an index that does not exist is an error, not an empty answer', () => {
  expect(() => store().byIndex('ownr', 'x')).toThrow(RangeError);
});

test('an object made anew under its old name is a deletion and an addition', () => {
  const one = store();
  const old = aConfigMap('a', {uid: 'first'});
  one.put(old);
  const changes = one.put(aConfigMap('a', {uid: 'second', resourceVersion: '5'}));
  expect(told(changes)).toEqual(['deleted a', 'added a']);
  expect(changes[0]?.object).toBe(old);
});

test('the same version twice is no change', () => {
  const one = store();
  one.put(owned('a', 'x'));
  expect(one.put(owned('a', 'x'))).toEqual([]);
});

test('the deletion of what is not there is no change', () => {
  expect(store().delete(owned('a', 'x'))).toEqual([]);
});

const storeOf = (...objects: ConfigMap[]): Store<ConfigMap> => {
  const one = store();
  for (const object of objects) one.put(object);
  return one;
};

test('a new full list tells of what vanished after everything else', () => {
  const before = storeOf(owned('gone', 'x'), owned('kept', 'x'), owned('changed', 'x'));
  const after = storeOf(owned('new', 'x'), owned('changed', 'x', '9'), owned('kept', 'x'));
  expect(told(differences(before, after))).toEqual(['added new', 'updated changed', 'deleted gone']);
});

test('a full list that has an object anew under its old name tells of both', () => {
  const changes = differences(storeOf(aConfigMap('a', {uid: 'first'})), storeOf(aConfigMap('a', {uid: 'second'})));
  expect(told(changes)).toEqual(['deleted a', 'added a']);
});

test('whatever happens, lists and indices agree with a plain map', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const by = fc.constantFrom('x', 'y');
  const object = fc.tuple(name, by);
  const action = fc.oneof(fc.record({put: object}), fc.record({delete: name}));
  fc.assert(
    fc.property(fc.array(action, {maxLength: 30}), actions => {
      const one = store();
      const model = new Map<string, string>();
      let version = 1;
      for (const act of actions) {
        version += 1;
        if ('put' in act) {
          one.put(owned(act.put[0], act.put[1], String(version)));
          model.set(...act.put);
        } else {
          one.delete(owned(act.delete, 'x'));
          model.delete(act.delete);
        }
      }
      for (const value of ['x', 'y']) {
        const found = one.byIndex('owner', value).map(object => object.metadata.name);
        expect(new Set(found)).toEqual(new Set([...model].filter(([, by]) => by === value).map(([key]) => key)));
        expect(found).toHaveLength(new Set(found).size);
      }
      expect(one.size).toBe(model.size);
    }),
  );
});
