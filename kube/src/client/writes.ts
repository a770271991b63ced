import type {Key, KubeObject} from '../objects.ts';
import type {Resource} from '../resources.ts';

/** What the API server answered to an own write. */
export type OwnWrite<T> =
  /** The object as it is now stored. */
  | {readonly type: 'stored'; readonly object: T}
  /** It is gone; `uid` where it is known which one. */
  | {readonly type: 'removed'; readonly key: Key; readonly uid: string | undefined};

type Listener = (write: OwnWrite<never>) => void;

/** Tells who keeps objects of a kind what this process wrote of it. */
export class Writes {
  readonly #listeners = new Map<string, Set<Listener>>();

  /** The function returned ends it. */
  on<T extends KubeObject>(resource: Resource<T>, listener: (write: OwnWrite<T>) => void): () => void {
    const name = nameOf(resource);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(name);
    };
  }

  stored<T extends KubeObject>(resource: Resource<T>, object: T): void {
    // Some subresources answer with another kind.
    if (object.kind === resource.kind) this.#tell(resource, {type: 'stored', object});
  }

  removed(resource: Resource<KubeObject>, key: Key, uid: string | undefined): void {
    this.#tell(resource, {type: 'removed', key, uid});
  }

  #tell<T extends KubeObject>(resource: Resource<T>, write: OwnWrite<T>): void {
    for (const listener of this.#listeners.get(nameOf(resource)) ?? []) listener(write as OwnWrite<never>);
  }
}

const nameOf = ({group, plural}: Resource<KubeObject>): string => `${group}/${plural}`;
