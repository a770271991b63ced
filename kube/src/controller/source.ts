import {controllerOf, type Key, type KubeObject, keyOf} from '../objects.ts';
import type {Cache} from '../reflector/cache.ts';
import type {Change} from '../reflector/store.ts';

/** What makes a controller look at a key. */
export interface Source {
  /** Calls `enqueue` for each key that a change concerns; never throws. */
  start(enqueue: (key: Key) => void): void;
  readonly synced: boolean;
}

/** Whether a change is worth a reconcile. */
export type Predicate<T> = (change: Change<T>) => boolean;

/** The controller's own kind: each change concerns the object itself. */
export const watching = <T extends KubeObject>(cache: Cache<T>, predicate?: Predicate<T>): Source =>
  mapped(cache, object => [keyOf(object)], predicate);

/** Children: a change concerns the owner that controls the child, if it is of `ownerKind`. */
export const owned = <T extends KubeObject>(cache: Cache<T>, ownerKind: string, predicate?: Predicate<T>): Source =>
  mapped(
    cache,
    object => {
      const owner = controllerOf(object);
      const {namespace} = object.metadata;
      if (owner?.kind !== ownerKind) return [];
      return [namespace === undefined ? {name: owner.name} : {namespace, name: owner.name}];
    },
    predicate,
  );

/** Any other kind: `map` says which keys an object concerns. Called for both sides of an update. */
export const mapped = <T extends KubeObject>(
  cache: Cache<T>,
  map: (object: T) => readonly Key[],
  predicate: Predicate<T> = () => true,
): Source => ({
  get synced() {
    return cache.synced;
  },
  start: enqueue => {
    cache.onChange(change => {
      if (!predicate(change)) return;
      // An object that stopped concerning a key concerns it one last time.
      if (change.type === 'updated') for (const key of map(change.previous)) enqueue(key);
      for (const key of map(change.object)) enqueue(key);
    });
  },
});
