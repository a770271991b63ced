import {type Key, type KubeObject, keyOf, keyText} from '../objects.ts';

/** One thing that changed. `first` marks what a full list brought: controllers may let it wait. */
export type Change<T> =
  | {readonly type: 'added'; readonly object: T; readonly first: boolean}
  | {readonly type: 'updated'; readonly object: T; readonly previous: T}
  | {readonly type: 'deleted'; readonly object: T};

/** Values under which an object is found; several objects may share one. */
export type Indexer<T> = (object: T) => readonly string[];

/** Objects by key, with indices. Every method that changes it returns what changed. */
export class Store<T extends KubeObject> {
  readonly #indexers: ReadonlyMap<string, Indexer<T>>;
  readonly #objects = new Map<string, T>();
  readonly #indices: ReadonlyMap<string, Map<string, Set<string>>>;

  constructor(indexers: Readonly<Record<string, Indexer<T>>> = {}) {
    this.#indexers = new Map(Object.entries(indexers));
    this.#indices = new Map([...this.#indexers.keys()].map(name => [name, new Map()]));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: Key): T | undefined {
    return this.#objects.get(keyText(key));
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  /** @throws RangeError when there is no such index. */
  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indices.get(name);
    if (index === undefined) throw new RangeError(`the store has no index '${name}'`);
    return [...(index.get(value) ?? [])].flatMap(key => {
      const object = this.#objects.get(key);
      return object === undefined ? [] : [object];
    });
  }

  put(object: T): readonly Change<T>[] {
    const key = keyText(keyOf(object));
    const previous = this.#objects.get(key);
    if (previous !== undefined) this.#remove(key, previous);
    this.#insert(key, object);
    return compare(previous, object, false);
  }

  /** The change holds the object's last state as the server sent it with the deletion. */
  delete(object: T): readonly Change<T>[] {
    const key = keyText(keyOf(object));
    const previous = this.#objects.get(key);
    if (previous === undefined) return [];
    this.#remove(key, previous);
    return [{type: 'deleted', object}];
  }

  #insert(key: string, object: T): void {
    this.#objects.set(key, object);
    for (const [name, indexer] of this.#indexers) {
      const index = this.#indices.get(name);
      for (const value of indexer(object)) {
        const keys = index?.get(value) ?? new Set();
        index?.set(value, keys.add(key));
      }
    }
  }

  #remove(key: string, object: T): void {
    this.#objects.delete(key);
    for (const [name, indexer] of this.#indexers) {
      const index = this.#indices.get(name);
      for (const value of indexer(object)) {
        const keys = index?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index?.delete(value);
      }
    }
  }
}

/** An object that was deleted and made anew under its old name is two changes: its uid tells. */
const compare = <T extends KubeObject>(previous: T | undefined, object: T, first: boolean): Change<T>[] => {
  if (previous === undefined) return [{type: 'added', object, first}];
  if (previous.metadata.uid !== object.metadata.uid) {
    return [
      {type: 'deleted', object: previous},
      {type: 'added', object, first: false},
    ];
  }
  if (previous.metadata.resourceVersion === object.metadata.resourceVersion) return [];
  return [{type: 'updated', object, previous}];
};

/** From one full list to the next; what vanished comes last. Lazy, so that a long list can be told in slices. */
export function* differences<T extends KubeObject>(before: Store<T>, after: Store<T>): Generator<Change<T>> {
  for (const object of after.values()) yield* compare(before.get(keyOf(object)), object, true);
  for (const object of before.values()) {
    if (after.get(keyOf(object)) === undefined) yield {type: 'deleted', object};
  }
}
