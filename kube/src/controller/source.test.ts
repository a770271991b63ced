import {expect, test} from '@jest/globals';
import type {ConfigMap, Key} from '../objects.ts';
import type {Cache, ChangeListener} from '../reflector/cache.ts';
import type {OwnWriteListener} from '../reflector/own-writes.ts';
import type {Change} from '../reflector/store.ts';
import {aConfigMap} from '../testing/objects.ts';
import {mapped, owned, type Source, watching} from './source.ts';

/** The side of a cache that sources use, told of changes by the test. */
const aCache = () => {
  const listeners: ChangeListener<ConfigMap>[] = [];
  const writeListeners: OwnWriteListener<ConfigMap>[] = [];
  const cache = {
    synced: true,
    onChange: (listener: ChangeListener<ConfigMap>) => listeners.push(listener),
    onOwnWrite: (listener: OwnWriteListener<ConfigMap>) => writeListeners.push(listener),
  };
  const tell = (change: Change<ConfigMap>): void => {
    for (const listener of listeners) listener(change);
  };
  const wrote = (type: 'unseen' | 'seen', object: ConfigMap): void => {
    for (const listener of writeListeners) listener({type, object});
  };
  return {cache: cache as unknown as Cache<ConfigMap>, tell, wrote};
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

test('a change that the predicate chokes on is looked at, and the error goes on to the cache', () => {
  const {cache, tell} = aCache();
  const keys = started(
    watching(cache, () => {
      throw new Error('a bug');
    }),
  );
  expect(() => tell({type: 'added', object: aConfigMap('a'), first: false})).toThrow('a bug');
  expect(keys).toEqual(['default/a']);
});

test('an update whose one side cannot be mapped concerns what the other maps to', () => {
  const {cache, tell} = aCache();
  const keys = started(
    mapped(cache, object => {
      if (object.data === undefined) throw new TypeError('no data');
      return [{namespace: 'default', name: object.data['owner'] ?? ''}];
    }),
  );
  const object = aConfigMap('a', {}, {owner: 'web'});
  expect(() => tell({type: 'updated', previous: aConfigMap('a'), object})).toThrow('no data');
  expect(keys).toEqual(['default/web']);
});

const web = {namespace: 'default', name: 'web'};

test('a key is not current while an own write to one of its children is unseen, and comes when it is', () => {
  const {cache, wrote} = aCache();
  const source = owned(cache, 'Boat');
  const keys = started(source);
  const [first, second] = [ownedBy('Boat', 'web'), ownedBy('Boat', 'web')];
  wrote('unseen', first);
  wrote('unseen', second);
  expect([source.isCurrent?.(web), source.isCurrent?.({namespace: 'default', name: 'db'})]).toEqual([false, true]);
  wrote('seen', first);
  expect([source.isCurrent?.(web), keys]).toEqual([false, []]);
  wrote('seen', second);
  expect([source.isCurrent?.(web), keys]).toEqual([true, ['default/web']]);
});

test('a key that nobody asked for while it was not current is not looked at once more', () => {
  const {cache, wrote} = aCache();
  const keys = started(watching(cache));
  const object = aConfigMap('web');
  wrote('unseen', object);
  wrote('seen', object);
  expect(keys).toEqual([]);
});

test('what a write concerned when it was made is current again, whatever the map says by then', () => {
  const {cache, wrote} = aCache();
  let users = [web];
  const source = mapped(cache, () => users);
  started(source);
  const object = aConfigMap('claim');
  wrote('unseen', object);
  users = [];
  wrote('seen', object);
  expect(source.isCurrent?.(web)).toBe(true);
});
