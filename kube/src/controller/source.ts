import {controllerOf, type Key, type KubeObject, keyOf, keyText} from '../objects.ts';
import type {Cache} from '../reflector/cache.ts';
import type {Change} from '../reflector/store.ts';

/** What makes a controller look at a key. */
export interface Source {
  /** Calls `enqueue` for each key that a change concerns; never throws. */
  start(enqueue: (key: Key) => void): void;
  readonly synced: boolean;
  /**
   * False while the source's cache has not seen an own write that concerns the key: to decide now would be to decide on
   * what is known to be old. The key is enqueued as soon as the cache has. Absent where there is no cache.
   */
  isCurrent?(key: Key): boolean;
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
): Source => {
  const unseen = new UnseenKeys();
  /** Kept from when the write was made: what an object maps to may depend on other objects. */
  const keysOf = new WeakMap<T, readonly Key[]>();
  return {
    get synced() {
      return cache.synced;
    },
    isCurrent: key => unseen.isCurrent(key),
    start: enqueue => {
      const concern = (object: T): void => map(object).forEach(enqueue);
      cache.onChange(change => {
        // A change that the predicate chokes on is looked at, for a reconcile too many does no harm; the cache logs it.
        let wanted = true;
        try {
          wanted = predicate(change);
        } finally {
          if (wanted) {
            try {
              // An object that stopped concerning a key concerns it one last time.
              if (change.type === 'updated') concern(change.previous);
            } finally {
              concern(change.object);
            }
          }
        }
      });
      cache.onOwnWrite(({type, object}) => {
        if (type === 'seen') {
          unseen.remove(keysOf.get(object) ?? []).forEach(enqueue);
          return;
        }
        const keys = map(object);
        keysOf.set(object, keys);
        unseen.add(keys);
      });
    },
  };
};

/** Keys that unseen own writes concern. */
class UnseenKeys {
  readonly #writes = new Map<string, {count: number; asked: boolean}>();

  add(keys: readonly Key[]): void {
    for (const key of keys) {
      const text = keyText(key);
      const known = this.#writes.get(text);
      if (known === undefined) this.#writes.set(text, {count: 1, asked: false});
      else known.count += 1;
    }
  }

  /** Returns the keys that somebody asked for and that are current now. */
  remove(keys: readonly Key[]): Key[] {
    return keys.filter(key => {
      const known = this.#writes.get(keyText(key));
      if (known === undefined) return false;
      known.count -= 1;
      if (known.count > 0) return false;
      this.#writes.delete(keyText(key));
      return known.asked;
    });
  }

  isCurrent(key: Key): boolean {
    const known = this.#writes.get(keyText(key));
    if (known !== undefined) known.asked = true;
    return known === undefined;
  }
}
