import {setImmediate} from 'node:timers/promises';
import type {Counter, Gauge, Registry} from 'prom-client';
import type {Client} from '../client/client.ts';
import {Limit} from '../client/limit.ts';
import type {Selection} from '../client/options.ts';
import type {WatchEvent} from '../client/watch-stream.ts';
import {type Clock, pause, systemClock} from '../clock.ts';
import {MalformedError, StaleCacheError, SyncTimeoutError} from '../errors.ts';
import type {Log} from '../log.ts';
import {counter, gauge} from '../metrics.ts';
import {type Key, keyOf, type KubeObject} from '../objects.ts';
import type {Resource} from '../resources.ts';
import {backOffMs, type Effect, type Input, type State, start, step} from './machine.ts';
import {type OwnWriteListener, OwnWrites} from './own-writes.ts';
import {willHearOf} from './selection.ts';
import {type Change, differences, type Indexer, Store} from './store.ts';

export interface CacheOptions<T extends KubeObject> {
  readonly client: Pick<Client, 'page' | 'watch' | 'onWrite'>;
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
  /** How long an own write may stay unseen before the watch counts as dead and all is listed anew, ms. Defaults to 10,000. */
  readonly staleMs?: number;
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
  readonly #watches: Counter<'resource'>;
  readonly #objects: Gauge<'resource'>;
  readonly #ownWrites: OwnWrites<T>;
  #resourceVersion: string | undefined;
  #events: AsyncIterator<WatchEvent<T>> | undefined;
  /** ms, monotonic. */
  #listBegan = 0;
  #watchBegan = 0;
  /** Of the present watch alone. */
  #watchLimit: Limit | undefined;
  #cancelStaleCheck: (() => void) | undefined;
  #lastError: unknown;
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: CacheOptions<T>) {
    this.#options = options;
    this.resource = options.resource;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#store = this.#newStore();
    this.#staged = this.#newStore();
    this.#ownWrites = new OwnWrites(this.#clock, {
      get: key => this.get(key),
      resourceVersion: () => this.#resourceVersion,
    });
    const {registry} = options;
    this.#lists = counter(registry, 'reflector_lists_total', 'Full lists that a cache has read.', ['resource']);
    this.#watches = counter(registry, 'reflector_watches_total', 'Watches that a cache has asked for.', ['resource']);
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

  /** Whether the cache has seen all writes that its client made to the object of this key. */
  isCurrent(key: Key): boolean {
    return this.#ownWrites.isCurrent(key);
  }

  /** Tells `listener` of each write of the cache's client that the cache has not seen, and later that it has. */
  onOwnWrite(listener: OwnWriteListener<T>): void {
    this.#ownWrites.onChange(change => this.#call(() => listener(change)));
  }

  /** Tells `listener` of every change from now on, and first of what is there. A listener that throws is logged and kept. */
  onChange(listener: ChangeListener<T>): void {
    this.#listeners.push(listener);
    for (const object of this.#store.list()) this.#call(() => listener({type: 'added', object, first: true}));
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
    const unsubscribe = this.#options.client.onWrite(this.resource, write => {
      const held = this.get(write.type === 'stored' ? keyOf(write.object) : write.key) !== undefined;
      if (!willHearOf(this.#options.selection ?? {}, write, held)) return;
      this.#ownWrites.note(write);
      this.#expectOwnWrites();
    });
    try {
      while (!signal.aborted) {
        const input = await this.#perform(effects, signal);
        [state, effects] = step(state, input);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      unsubscribe();
      this.#cancelStaleCheck?.();
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
        return {type: 'failed', error, lastedMs: this.#clock.monotonic() - this.#watchBegan};
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
        await pause(this.#clock, backOffMs(effect.failures, this.#random, effect.retryAfterMs), signal);
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
    const {client, selection, pageSize = 500} = this.#options;
    if (token === undefined) {
      this.#staged = this.#newStore();
      this.#listBegan = this.#clock.monotonic();
    }
    const page = await client.page(
      this.resource,
      {...selection, limit: pageSize, ...(token === undefined ? {} : {continueToken: token})},
      signal,
    );
    if (token !== undefined && page.continueToken === token)
      throw new MalformedError(`list of ${this.resource.plural}`, 'a page that is followed by itself');
    const items = page.items.map(object => this.#trim(object));
    return {type: 'page', items, resourceVersion: page.resourceVersion, token: page.continueToken};
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<Input<T>> {
    await this.#endWatch();
    const {client, selection} = this.#options;
    this.#watchBegan = this.#clock.monotonic();
    this.#watches.inc({resource: this.resource.plural});
    const limit = new Limit(this.#clock, signal);
    this.#watchLimit = limit;
    const events = await client.watch(
      this.resource,
      {...selection, resourceVersion, timeoutSeconds: watchSeconds(this.#random)},
      limit.signal,
    );
    this.#events = events[Symbol.asyncIterator]();
    return this.#next();
  }

  async #next(): Promise<Input<T>> {
    const result = await this.#events?.next();
    if (result === undefined || result.done === true)
      return {type: 'ended', lastedMs: this.#clock.monotonic() - this.#watchBegan};
    const event = result.value;
    const resourceVersion = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
    return {type: 'event', event, resourceVersion: resourceVersion ?? this.#resourceVersion ?? ''};
  }

  async #endWatch(): Promise<void> {
    const events = this.#events;
    this.#events = undefined;
    this.#watchLimit?.release();
    this.#watchLimit = undefined;
    await events?.return?.().catch(() => undefined);
  }

  /** Readers see the new list as a whole. Listeners hear of it in slices, and of nothing newer before its end. */
  async #commit(resourceVersion: string): Promise<void> {
    const before = this.#store;
    this.#store = this.#staged;
    this.#staged = this.#newStore();
    this.#advance(resourceVersion, this.#listBegan);
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
    return this.#contained('transform', trimmed, () => this.#options.transform?.(trimmed) ?? trimmed, trimmed);
  }

  /** Objects are users' input: one that an indexer chokes on must not keep the others out of the cache. */
  #newStore(): Store<T> {
    const contained = Object.entries(this.#options.indexers ?? {}).map(([name, indexer]): [string, Indexer<T>] => [
      name,
      object => this.#contained(`indexer ${name}`, object, () => indexer(object), []),
    ]);
    return new Store(Object.fromEntries(contained));
  }

  #contained<R>(what: string, object: T, run: () => R, otherwise: R): R {
    try {
      return run();
    } catch (error) {
      const {namespace, name} = object.metadata;
      this.#options.log.error(
        {resource: this.resource.plural, namespace, name, function: what, err: error},
        'a function of the cache threw on an object',
      );
      return otherwise;
    }
  }

  #advance(resourceVersion: string, listedAt?: number): void {
    this.#resourceVersion = resourceVersion;
    this.#ownWrites.advance(listedAt);
    this.#objects.set({resource: this.resource.plural}, this.#store.size);
  }

  #failed(error: unknown): void {
    this.#lastError = error;
    this.#failures.inc({resource: this.resource.plural});
    this.#options.log.warn({resource: this.resource.plural, err: error}, 'list or watch failed, trying again');
  }

  /** A watch that does not bring own writes is dead, however alive its connection looks: a list brings them. */
  #expectOwnWrites(): void {
    const {staleMs = 10_000} = this.#options;
    const {oldest} = this.#ownWrites;
    if (this.#cancelStaleCheck !== undefined || oldest === undefined) return;
    this.#cancelStaleCheck = this.#clock.schedule(Math.max(staleMs - oldest.waitedMs, staleMs / 10), () => {
      this.#cancelStaleCheck = undefined;
      const {oldest: late} = this.#ownWrites;
      if (late !== undefined && late.waitedMs >= staleMs)
        this.#watchLimit?.abort(new StaleCacheError(this.resource.plural, late.key, Math.round(late.waitedMs)));
      this.#expectOwnWrites();
    });
  }

  #emit(changes: readonly Change<T>[]): void {
    for (const change of changes) for (const listener of this.#listeners) this.#call(() => listener(change));
  }

  #call(listener: () => unknown): void {
    const threw = (error: unknown): void =>
      this.#options.log.error({resource: this.resource.plural, err: error}, 'a listener of the cache threw');
    try {
      // An async function is a listener for the compiler, too; its rejection would end the process.
      const result = listener();
      if (result instanceof Promise) result.catch(threw);
    } catch (error) {
      threw(error);
    }
  }
}
