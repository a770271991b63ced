import {setImmediate} from 'node:timers/promises';
import type {Counter, Gauge, Registry} from 'prom-client';
import type {Client, Selection} from '../client/client.ts';
import type {WatchEvent} from '../client/watch-stream.ts';
import {type Clock, pause, systemClock} from '../clock.ts';
import {SyncTimeoutError} from '../errors.ts';
import type {Log} from '../log.ts';
import {counter, gauge} from '../metrics.ts';
import {isAtLeast, type Key, keyOf, keyText, type KubeObject} from '../objects.ts';
import type {Resource} from '../resources.ts';
import {backOffMs, type Effect, type Input, type State, start, step} from './machine.ts';
import {type Change, differences, type Indexer, Store} from './store.ts';

export interface CacheOptions<T extends KubeObject> {
  readonly client: Pick<Client, 'page' | 'watch'>;
  readonly resource: Resource<T>;
  readonly selection?: Selection;
  readonly indexers?: Readonly<Record<string, Indexer<T>>>;
  /** Trims an object before it is kept. managedFields are always dropped. */
  readonly transform?: (object: T) => T;
  readonly log: Log;
  readonly registry: Registry;
  /** Defaults to the system's. */
  readonly clock?: Clock;
  /** In [0, 1). Defaults to Math.random. */
  readonly random?: () => number;
  /** Objects in a page of a list. Defaults to 500. */
  readonly pageSize?: number;
}

/** Changes of a full list told in one go, before other work of the process gets its turn. */
const slice = 500;

export type ChangeListener<T> = (change: Change<T>) => void;

/** How long the server should keep a watch, in s: not so many end at the same time. */
const watchSeconds = (random: () => number): number => Math.round(240 + 60 * random());

/**
 * The objects of a resource as the API server last told them: a reader may see them late, never wrong, and never half a
 * list. Reads are local. It repairs itself for as long as `run` runs.
 */
export class Cache<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly #options: CacheOptions<T>;
  readonly #clock: Clock;
  readonly #random: () => number;
  #store: Store<T>;
  #staged: Store<T>;
  readonly #listeners: ChangeListener<T>[] = [];
  readonly #failures: Counter<'resource'>;
  readonly #lists: Counter<'resource'>;
  readonly #objects: Gauge<'resource'>;
  /** The newest own write to a key that the cache has not seen yet. */
  readonly #written = new Map<string, string>();
  #resourceVersion: string | undefined;
  #events: AsyncIterator<WatchEvent<T>> | undefined;
  #lastError: unknown;
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: CacheOptions<T>) {
    this.#options = options;
    this.resource = options.resource;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#store = new Store(options.indexers);
    this.#staged = new Store(options.indexers);
    const {registry} = options;
    this.#lists = counter(registry, 'reflector_lists_total', 'Full lists that a cache has read.', ['resource']);
    this.#failures = counter(registry, 'reflector_failures_total', 'Lists and watches that failed.', ['resource']);
    this.#objects = gauge(registry, 'reflector_objects', 'Objects in a cache.', ['resource']);
  }

  get(key: Key): T | undefined {
    return this.#store.get(key);
  }

  list(): readonly T[] {
    return this.#store.list();
  }

  /** The objects that the named indexer puts under `value`. */
  byIndex(name: string, value: string): readonly T[] {
    return this.#store.byIndex(name, value);
  }

  /** True once the first full list is in. */
  get synced(): boolean {
    return this.#resourceVersion !== undefined;
  }

  /**
   * Notes what an own write returned. Until the cache has seen it, the object it holds is older than what the writer
   * knows: see `isCurrent`.
   */
  wrote(object: T): void {
    const version = object.metadata.resourceVersion;
    if (version !== undefined && !this.#hasSeen(version)) this.#written.set(keyText(keyOf(object)), version);
  }

  /** Whether the cache has caught up with all own writes to the object of this key. */
  isCurrent(key: Key): boolean {
    return !this.#written.has(keyText(key));
  }

  /** Tells `listener` of every change from now on, and first of what is there. A listener that throws is logged and kept. */
  onChange(listener: ChangeListener<T>): void {
    this.#listeners.push(listener);
    for (const object of this.#store.list()) this.#tell(listener, {type: 'added', object, first: true});
  }

  /** @throws SyncTimeoutError when the first list is not in by then. Defaults to 120,000 ms. */
  async waitForSync(signal: AbortSignal, timeoutMs = 120_000): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#synced.promise, pause(this.#clock, timeoutMs, AbortSignal.any([signal, over.signal]))]);
    over.abort();
    signal.throwIfAborted();
    if (!this.synced) throw new SyncTimeoutError(this.resource.plural, timeoutMs, this.#lastError);
  }

  /** Lists and watches until the signal; resolves then. Never throws for what the server does. */
  async run(signal: AbortSignal): Promise<void> {
    let [state, effects]: readonly [State, readonly Effect<T>[]] = start<T>();
    try {
      while (!signal.aborted) {
        const input = await this.#perform(effects, signal);
        [state, effects] = step(state, input);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await this.#endWatch();
    }
  }

  /** Carries out effects; the last of them yields the next input. */
  async #perform(effects: readonly Effect<T>[], signal: AbortSignal): Promise<Input<T>> {
    let input: Input<T> | undefined;
    for (const effect of effects) {
      try {
        input = await this.#effect(effect, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#failed(error);
        return {type: 'failed', error};
      }
    }
    if (input === undefined) throw new Error('the reflector has nothing to wait for');
    return input;
  }

  async #effect(effect: Effect<T>, signal: AbortSignal): Promise<Input<T> | undefined> {
    switch (effect.do) {
      case 'list':
        return this.#list(effect.token, signal);
      case 'watch':
        return this.#watch(effect.resourceVersion, signal);
      case 'next':
        return this.#next();
      case 'wait':
        await this.#endWatch();
        await pause(this.#clock, Math.max(backOffMs(effect.failures, this.#random), effect.retryAfterMs ?? 0), signal);
        signal.throwIfAborted();
        return {type: 'waited'};
      case 'stage':
        for (const object of effect.items) this.#staged.put(object);
        return undefined;
      case 'commit':
        await this.#commit(effect.resourceVersion);
        return undefined;
      case 'store':
        this.#keep(effect.event);
        this.#advance(effect.resourceVersion);
        return undefined;
    }
  }

  async #list(token: string | undefined, signal: AbortSignal): Promise<Input<T>> {
    const {client, selection, pageSize = 500, indexers} = this.#options;
    if (token === undefined) this.#staged = new Store(indexers);
    const page = await client.page(
      this.resource,
      {...selection, limit: pageSize, ...(token === undefined ? {} : {continueToken: token})},
      signal,
    );
    const items = page.items.map(object => this.#trim(object));
    return {type: 'page', items, resourceVersion: page.resourceVersion, token: page.continueToken};
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<Input<T>> {
    await this.#endWatch();
    const {client, selection} = this.#options;
    const began = this.#clock.monotonic();
    const events = await client.watch(
      this.resource,
      {...selection, resourceVersion, timeoutSeconds: watchSeconds(this.#random)},
      signal,
    );
    this.#events = events[Symbol.asyncIterator]();
    const input = await this.#next();
    // A server, or something in between, that ends every watch at once must not be asked without a pause.
    if (input.type === 'ended' && this.#clock.monotonic() - began < 1000) await pause(this.#clock, 1000, signal);
    return input;
  }

  async #next(): Promise<Input<T>> {
    const result = await this.#events?.next();
    if (result === undefined || result.done === true) return {type: 'ended'};
    const event = result.value;
    const resourceVersion = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
    return {type: 'event', event, resourceVersion: resourceVersion ?? this.#resourceVersion ?? ''};
  }

  async #endWatch(): Promise<void> {
    const events = this.#events;
    this.#events = undefined;
    await events?.return?.().catch(() => undefined);
  }

  /** Readers see the new list as a whole. Listeners hear of it in slices, and of nothing newer before its end. */
  async #commit(resourceVersion: string): Promise<void> {
    const before = this.#store;
    this.#store = this.#staged;
    this.#staged = new Store();
    this.#advance(resourceVersion);
    this.#lists.inc({resource: this.resource.plural});
    let told = 0;
    for (const change of differences(before, this.#store)) {
      this.#emit([change]);
      told += 1;
      if (told % slice === 0) await setImmediate();
    }
    this.#synced.resolve();
  }

  #keep(event: WatchEvent<T>): void {
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#emit(this.#store.put(this.#trim(event.object)));
        break;
      case 'DELETED':
        this.#emit(this.#store.delete(this.#trim(event.object)));
        break;
      case 'BOOKMARK':
        break;
    }
  }

  #trim(object: T): T {
    const {managedFields: _dropped, ...metadata} = object.metadata as Record<string, unknown>;
    const trimmed = {...object, metadata} as T;
    return this.#options.transform?.(trimmed) ?? trimmed;
  }

  #advance(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
    for (const [key, version] of this.#written) if (this.#hasSeen(version)) this.#written.delete(key);
    this.#objects.set({resource: this.resource.plural}, this.#store.size);
  }

  #failed(error: unknown): void {
    this.#lastError = error;
    this.#failures.inc({resource: this.resource.plural});
    this.#options.log.warn({resource: this.resource.plural, err: error}, 'list or watch failed, trying again');
  }

  #hasSeen(resourceVersion: string): boolean {
    return this.#resourceVersion !== undefined && isAtLeast(this.#resourceVersion, resourceVersion);
  }

  #emit(changes: readonly Change<T>[]): void {
    for (const change of changes) for (const listener of this.#listeners) this.#tell(listener, change);
  }

  #tell(listener: ChangeListener<T>, change: Change<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#options.log.error({resource: this.resource.plural, err: error}, 'a listener of the cache threw');
    }
  }
}
