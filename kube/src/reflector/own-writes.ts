import type {OwnWrite} from '../client/writes.ts';
import type {Clock} from '../clock.ts';
import {isAtLeast, type Key, keyOf, keyText, type KubeObject} from '../objects.ts';

/** What a cache must see before it is as new as the writer: a version, or that the object is gone. */
type Awaited = {readonly version: string} | {readonly goneUid: string};

interface Unseen<T> {
  readonly object: T;
  readonly awaited: Awaited;
  /** The write that is awaited since `since` (ms, monotonic): the same, or an earlier one of the same key. */
  readonly first: Awaited;
  readonly since: number;
  /** When the newest was answered (ms, monotonic). */
  readonly at: number;
}

/** The side of a cache that tells how far it has come. */
export interface Progress<T> {
  resourceVersion(): string | undefined;
  get(key: Key): T | undefined;
}

/** `object`: as it was written, or as it was before it was deleted; the same one when it is unseen and when it is seen. */
export type OwnWriteListener<T> = (change: {readonly type: 'unseen' | 'seen'; readonly object: T}) => void;

/**
 * Own writes that a cache has not seen. Whoever decides on the cache before it has would repeat them: resourceVersions of
 * one resource can be compared since Kubernetes 1.35 (KEP-5504), so the cache knows when it has caught up.
 *
 * An object that somebody else deletes meanwhile is no special case: its deletion has a later version.
 */
export class OwnWrites<T extends KubeObject> {
  readonly #clock: Clock;
  readonly #progress: Progress<T>;
  /** The newest write to each key. */
  readonly #unseen = new Map<string, Unseen<T>>();
  readonly #listeners: OwnWriteListener<T>[] = [];

  constructor(clock: Clock, progress: Progress<T>) {
    this.#clock = clock;
    this.#progress = progress;
  }

  /** Also of what is unseen already. A listener must not throw. */
  onChange(listener: OwnWriteListener<T>): void {
    this.#listeners.push(listener);
    for (const {object} of this.#unseen.values()) listener({type: 'unseen', object});
  }

  isCurrent(key: Key): boolean {
    return !this.#unseen.has(keyText(key));
  }

  /** The write that has waited longest, and for how long, ms. */
  get oldest(): {readonly key: string; readonly waitedMs: number} | undefined {
    let oldest: {key: string; since: number} | undefined;
    for (const [key, {since}] of this.#unseen) if (oldest === undefined || since < oldest.since) oldest = {key, since};
    return oldest === undefined ? undefined : {key: oldest.key, waitedMs: this.#clock.monotonic() - oldest.since};
  }

  note(write: OwnWrite<T>): void {
    if (write.type === 'stored') {
      const version = write.object.metadata.resourceVersion;
      if (version !== undefined) this.#await(write.object, {version});
      return;
    }
    const held = this.#progress.get(write.key);
    const goneUid = held?.metadata.uid;
    // One that the cache does not hold needs no deletion to be seen.
    if (held === undefined || goneUid === undefined || (write.uid !== undefined && write.uid !== goneUid)) return;
    this.#await(held, {goneUid});
  }

  /**
   * To be called when the cache has come further. A list that began at `listedAt` has seen all that was written before,
   * whatever the versions say: those of a cluster restored from a backup begin anew.
   */
  advance(listedAt = Number.NEGATIVE_INFINITY): void {
    for (const [text, unseen] of this.#unseen) {
      const key = keyOf(unseen.object);
      if (unseen.at < listedAt || !this.#isAwaited(key, unseen.awaited)) {
        this.#unseen.delete(text);
        this.#tell('seen', unseen.object);
      } else if (!this.#isAwaited(key, unseen.first)) {
        this.#unseen.set(text, {...unseen, first: unseen.awaited, since: this.#clock.monotonic()});
      }
    }
  }

  #await(object: T, awaited: Awaited): void {
    const key = keyText(keyOf(object));
    if (!this.#isAwaited(keyOf(object), awaited)) return;
    const known = this.#unseen.get(key);
    // Answers to two writes at once may come in any order.
    if (known !== undefined && isLater(known.awaited, awaited)) return;
    const at = this.#clock.monotonic();
    const {first, since} = known ?? {first: awaited, since: at};
    this.#unseen.set(key, {object, awaited, first, since, at});
    this.#tell('unseen', object);
    if (known !== undefined) this.#tell('seen', known.object);
  }

  #isAwaited(key: Key, awaited: Awaited): boolean {
    if ('goneUid' in awaited) return this.#progress.get(key)?.metadata.uid === awaited.goneUid;
    const resourceVersion = this.#progress.resourceVersion();
    return resourceVersion === undefined || !isAtLeast(resourceVersion, awaited.version);
  }

  #tell(type: 'unseen' | 'seen', object: T): void {
    for (const listener of this.#listeners) listener({type, object});
  }
}

const isLater = (known: Awaited, other: Awaited): boolean =>
  'version' in known && 'version' in other && isAtLeast(known.version, other.version);
