import {setImmediate} from 'node:timers/promises';
import type {Client} from '../client/client.ts';
import type {Page} from '../client/options.ts';
import type {WatchEvent} from '../client/watch-stream.ts';
import {Writes} from '../client/writes.ts';
import {ApiError, TransportError} from '../errors.ts';
import type {ConfigMap} from '../objects.ts';
import {aConfigMap} from './objects.ts';

type Event = Extract<WatchEvent<ConfigMap>, {object: unknown}>;

interface Open {
  /** How far its reader was told. */
  at: number;
  outbox: (() => IteratorResult<WatchEvent<ConfigMap>>)[];
  wake: (() => void) | undefined;
}

/** What goes wrong with the next request. */
export type Trouble = 'reset' | 'busy' | 'gone';

const troubles: Readonly<Record<Trouble, () => Error>> = {
  reset: () => new TransportError('model', new Error('reset')),
  busy: () => new ApiError(503, {}, {call: 'model'}),
  gone: () => new ApiError(410, {reason: 'Expired'}, {call: 'model'}),
};

/**
 * An API server as far as list and watch go, with a history that it can forget. Lists are of one version, also over several
 * pages. Watches are told only when `deliver` says so: how far each reader lags is the test's to choose.
 */
export class ModelServer {
  readonly objects = new Map<string, ConfigMap>();
  readonly writes = new Writes();
  readonly #history: {readonly version: number; readonly event: Event}[] = [];
  readonly #watches = new Set<Open>();
  readonly #troubles: Trouble[] = [];
  readonly #snapshots = new Map<number, readonly ConfigMap[]>();
  #version = 1;
  #forgotten = 0;
  #uids = 0;

  get names(): string[] {
    return [...this.objects.keys()];
  }

  put(name: string): ConfigMap {
    const known = this.objects.get(name);
    this.#version += 1;
    const uid = known?.metadata.uid ?? `uid-${(this.#uids += 1)}`;
    const object = aConfigMap(name, {uid, resourceVersion: String(this.#version)});
    this.objects.set(name, object);
    this.#history.push({version: this.#version, event: {type: known === undefined ? 'ADDED' : 'MODIFIED', object}});
    return object;
  }

  delete(name: string): void {
    const known = this.objects.get(name);
    if (known === undefined) return;
    this.#version += 1;
    this.objects.delete(name);
    const object = {...known, metadata: {...known.metadata, resourceVersion: String(this.#version)}};
    this.#history.push({version: this.#version, event: {type: 'DELETED', object}});
  }

  /** Watches and continued lists from before now can no longer be served; watches that lag behind are told. */
  forget(): void {
    for (const watch of this.#watches) {
      if (this.#history.some(({version}) => version > watch.at))
        this.#stop(watch, () => {
          throw troubles.gone();
        });
    }
    this.#forgotten = this.#version;
    this.#history.length = 0;
    this.#snapshots.clear();
  }

  trouble(...next: Trouble[]): void {
    this.#troubles.push(...next);
  }

  /** Up to so many events for each watch. */
  deliver(count: number): void {
    for (const watch of this.#watches) {
      const due = this.#history.filter(({version}) => version > watch.at).slice(0, count);
      for (const {version, event} of due) {
        watch.at = version;
        this.#send(watch, () => ({value: event, done: false}));
      }
    }
  }

  /** Only to watches that were told all: a bookmark promises that. */
  bookmark(): void {
    for (const watch of this.#watches) {
      if (this.#history.some(({version}) => version > watch.at)) continue;
      watch.at = this.#version;
      const value = {type: 'BOOKMARK', resourceVersion: String(this.#version)} as const;
      this.#send(watch, () => ({value, done: false}));
    }
  }

  end(): void {
    for (const watch of this.#watches) this.#stop(watch, () => ({value: undefined, done: true}));
  }

  break(trouble: Trouble): void {
    const last = (): never => {
      throw troubles[trouble]();
    };
    for (const watch of this.#watches) this.#stop(watch, last);
  }

  heal(): void {
    this.#troubles.length = 0;
  }

  get client(): Pick<Client, 'page' | 'watch' | 'onWrite'> {
    return {
      onWrite: (resource, listener) => this.writes.on(resource, listener),
      page: async (_, selection) => {
        await setImmediate();
        this.#meetTrouble();
        return this.#page(selection?.limit ?? 2, selection?.continueToken) as never;
      },
      watch: async (_, {resourceVersion}, signal) => {
        await setImmediate();
        this.#meetTrouble();
        if (Number(resourceVersion) < this.#forgotten) throw troubles.gone();
        return this.#open(Number(resourceVersion), signal) as never;
      },
    };
  }

  #page(limit: number, token: string | undefined): Page<ConfigMap> {
    const [version = this.#version, from = 0] = token?.split(':').map(Number) ?? [];
    if (version < this.#forgotten) throw troubles.gone();
    const all = this.#snapshots.get(version) ?? [...this.objects.values()];
    this.#snapshots.set(version, all);
    const page = {items: all.slice(from, from + limit), resourceVersion: String(version)};
    return from + limit < all.length ? {...page, continueToken: `${version}:${from + limit}`} : page;
  }

  #open(at: number, signal: AbortSignal | undefined): AsyncIterable<WatchEvent<ConfigMap>> {
    const watch: Open = {at, outbox: [], wake: undefined};
    this.#watches.add(watch);
    const abort = (): void =>
      this.#send(watch, () => {
        throw signal?.reason;
      });
    signal?.addEventListener('abort', abort, {once: true});
    const close = (): void => {
      this.#watches.delete(watch);
      signal?.removeEventListener('abort', abort);
    };
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          while (watch.outbox.length === 0) await new Promise<void>(resolve => (watch.wake = resolve));
          return watch.outbox.shift()?.() ?? {value: undefined, done: true};
        },
        return: async () => {
          close();
          return {value: undefined, done: true};
        },
      }),
    };
  }

  #stop(watch: Open, last: () => IteratorResult<WatchEvent<ConfigMap>>): void {
    this.#send(watch, last);
    this.#watches.delete(watch);
  }

  #send(watch: Open, next: () => IteratorResult<WatchEvent<ConfigMap>>): void {
    watch.outbox.push(next);
    watch.wake?.();
  }

  #meetTrouble(): void {
    const trouble = this.#troubles.shift();
    if (trouble !== undefined) throw troubles[trouble]();
  }
}
