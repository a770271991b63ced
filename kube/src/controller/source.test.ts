import {expect, test} from '@jest/globals';
import type {ConfigMap, Key} from '../objects.ts';
import type {Cache, ChangeListener} from '../reflector/cache.ts';
import type {Change} from '../reflector/store.ts';
import {aConfigMap} from '../testing/objects.ts';
import {mapped, owned, type Source, watching} from './source.ts';

/** The side of a cache that sources use, told of changes by the test. */
const aCache = () => {
  const listeners: ChangeListener<ConfigMap>[] = [];
  const cache = {synced: true, onChange: (listener: ChangeListener<ConfigMap>) => listeners.push(listener)};
  const tell = (change: Change<ConfigMap>): void => {
    for (const listener of listeners) listener(change);
  };
  return {cache: cache as unknown as Cache<ConfigMap>, tell};
};

const started = (source: Source): string[] => {
  const keys: string[] = [];
  source.start((key: Key) => keys.push(`${key.namespace}/${key.name}`));
  return keys;
};

const ownedBy = (kind: string, name: string, controller = true): ConfigMap =>
  aConfigMap('child', {ownerReferences: [{apiVersion: 'v1', kind, name, uid: name, controller}]});

test('a change of the own kind concerns the object', () => {
  const {cache, tell} = aCache();
  const keys = started(watching(cache));
  tell({type: 'deleted', object: aConfigMap('a')});
  expect(keys).toEqual(['default/a']);
});

test('a change of a child concerns its controller, in the namespace of the child', () => {
  const {cache, tell} = aCache();
  const keys = started(owned(cache, 'Boat'));
  tell({type: 'added', object: ownedBy('Boat', 'wherry'), first: false});
  expect(keys).toEqual(['default/wherry']);
});

test('children of other kinds, of nobody, or only garbage-collected with an owner concern no one', () => {
  const {cache, tell} = aCache();
  const keys = started(owned(cache, 'Boat'));
  for (const object of [ownedBy('Ship', 's'), aConfigMap('orphan'), ownedBy('Boat', 'b', false)]) {
    tell({type: 'added', object, first: false});
  }
  expect(keys).toEqual([]);
});

test('a child that changes hands concerns the old owner and the new', () => {
  const {cache, tell} = aCache();
  const keys = started(owned(cache, 'Boat'));
  tell({type: 'updated', previous: ownedBy('Boat', 'old'), object: ownedBy('Boat', 'new')});
  expect(keys).toEqual(['default/old', 'default/new']);
});

test('what the predicate does not want concerns no one', () => {
  const {cache, tell} = aCache();
  const keys = started(
    mapped(
      cache,
      object => [{name: object.metadata.name ?? ''}],
      change => change.type === 'deleted',
    ),
  );
  tell({type: 'added', object: aConfigMap('a'), first: true});
  expect(keys).toEqual([]);
});
