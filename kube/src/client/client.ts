import type {Counter, Histogram} from 'prom-client';
import {type Clock, pause, systemClock} from '../clock.ts';
import {ApiError, KubeError, MalformedError, type StatusBody} from '../errors.ts';
import {counter, histogram, latencyBuckets} from '../metrics.ts';
import {type Draft, type Key, keyOf, type KubeObject} from '../objects.ts';
import {apiVersionOf, collectionPath, core, objectPath, type Resource} from '../resources.ts';
import type {ClientOptions, DeleteOptions, Page, Selection, WriteOptions} from './options.ts';
import {withQuery} from './query.ts';
import {type Call, Transport} from './transport.ts';
import {type WatchEvent, watchEvents} from './watch-stream.ts';
import {type OwnWrite, Writes} from './writes.ts';

/** All that is known of what a server sent is checked before it is used. */
interface ListBody<T> {
  readonly items?: readonly T[] | null;
  readonly metadata?: {readonly resourceVersion?: string; readonly continue?: string};
}

/**
 * Typed calls to the API server. Objects are the JSON of the wire. Every call throws ApiError for an answer other than
 * 2xx and TransportError or CallTimeoutError when there was none; 429 and 503 with Retry-After are repeated as the server asks.
 */
export class Client {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #tries: number;
  readonly #maxRetryAfterMs: number;
  readonly #random: () => number;
  readonly #idleMs: number;
  readonly #options: ClientOptions;
  readonly #writes: Writes;
  readonly #requests: Counter<'code' | 'method' | 'host'>;
  readonly #latency: Histogram<'verb'>;

  /** With `base`, on its connections. */
  constructor(options: ClientOptions, base?: Client) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#tries = options.tries ?? 3;
    this.#maxRetryAfterMs = options.maxRetryAfterMs ?? 10_000;
    this.#idleMs = options.watchIdleMs ?? 120_000;
    if (base === undefined) {
      this.#writes = new Writes();
      this.#transport = new Transport({
        kubeConfig: options.kubeConfig,
        userAgent: options.userAgent,
        clock: this.#clock,
        idleMs: this.#idleMs,
        ...(options.timeoutMs === undefined ? {} : {timeoutMs: options.timeoutMs}),
      });
    } else {
      this.#writes = base.#writes;
      this.#transport = base.#transport;
    }
    this.#requests = counter(
      options.registry,
      'rest_client_requests_total',
      'HTTP requests, by status code, method and host.',
      ['code', 'method', 'host'],
    );
    this.#latency = histogram(
      options.registry,
      'rest_client_request_duration_seconds',
      'Time of HTTP requests until the whole answer was read.',
      ['verb'],
      latencyBuckets,
    );
  }

  /** The same client, for one whose writes need more than the server's leave: `guard` is asked before each is sent. */
  guardedBy(guard: () => void): Client {
    return new Client({...this.#options, guard}, this);
  }

  /** Tells `listener` of each write of the kind that this client, or one guarded from it, made; it must not throw. */
  onWrite<T extends KubeObject>(resource: Resource<T>, listener: (write: OwnWrite<T>) => void): () => void {
    return this.#writes.on(resource, listener);
  }

  /** The object, or undefined when there is none. */
  async get<T extends KubeObject>(resource: Resource<T>, key: Key, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return await this.#call<T>({method: 'GET', path: objectPath(resource, key), ...withSignal(signal)});
    } catch (error) {
      if (error instanceof ApiError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /**
   * One page of at most `limit` objects. Without `continueToken`, the first.
   * @throws MalformedError for an answer that is no list: taken for an empty one, it would be the end of everything.
   */
  async page<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection & {readonly limit?: number; readonly continueToken?: string} = {},
    signal?: AbortSignal,
  ): Promise<Page<T>> {
    const {namespace, limit, continueToken, ...selectors} = selection;
    const path = withQuery(collectionPath(resource, namespace), {...selectors, limit, continue: continueToken});
    const body = await this.#call<ListBody<T> | null>({method: 'GET', path, ...withSignal(signal)});
    const {resourceVersion, continue: token} = body?.metadata ?? {};
    // An empty list is `[]`, or `null` from some aggregated servers.
    const items = body?.items === null ? [] : body?.items;
    if (!Array.isArray(items) || !resourceVersion) throw new MalformedError(`GET ${path}`, 'the answer is no list');
    return {
      // Items of a list of built-in objects come without their type.
      items: items.map((item: T) => typed(resource, item)),
      resourceVersion,
      ...(token === undefined || token === '' ? {} : {continueToken: token}),
    };
  }

  /** All objects, read in pages of 500. */
  async list<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection = {},
    signal?: AbortSignal,
  ): Promise<readonly T[]> {
    const items: T[] = [];
    let continueToken: string | undefined;
    do {
      const page: Page<T> = await this.page(
        resource,
        {...selection, limit: 500, ...(continueToken === undefined ? {} : {continueToken})},
        signal,
      );
      for (const item of page.items) items.push(item);
      continueToken = page.continueToken;
    } while (continueToken !== undefined);
    return items;
  }

  /** What changes from `resourceVersion` on. Ends when the server ends it, after about `timeoutSeconds`. */
  async watch<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection & {readonly resourceVersion: string; readonly timeoutSeconds?: number},
    signal?: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent<T>>> {
    const {namespace, ...query} = selection;
    const path = withQuery(collectionPath(resource, namespace), {...query, watch: true, allowWatchBookmarks: true});
    const {chunks, limit} = await this.#counted('WATCH', {method: 'GET', path}, () =>
      this.#transport.stream({method: 'GET', path, ...withSignal(signal)}),
    );
    return watchEvents<T>(resource.plural, chunks, {limit, idleMs: this.#idleMs});
  }

  /** What the only container of a pod has written so far. */
  async podLog(key: Key, signal?: AbortSignal): Promise<string> {
    const call: Call = {method: 'GET', path: objectPath(core.pods, key, 'log'), ...withSignal(signal)};
    return this.#counted('GET', call, async () => {
      const decoder = new TextDecoder();
      let text = '';
      const {chunks} = await this.#transport.stream(call);
      for await (const chunk of chunks) text += decoder.decode(chunk, {stream: true});
      return text;
    });
  }

  async create<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: {fieldManager?: string; signal?: AbortSignal} = {},
  ): Promise<T> {
    return this.#write(resource, {
      method: 'POST',
      path: withQuery(collectionPath(resource, object.metadata.namespace), {fieldManager: options.fieldManager}),
      body: typed(resource, object),
      ...withSignal(options.signal),
    });
  }

  /** Server-side apply: the object holds the full set of fields that the manager owns, and no more. */
  async apply<T extends KubeObject>(
    resource: Resource<T>,
    object: Draft<T>,
    options: WriteOptions & {readonly fieldManager: string; readonly force?: boolean},
  ): Promise<T> {
    return this.#write(resource, {
      method: 'PATCH',
      path: withQuery(objectPath(resource, keyOf(object)), {fieldManager: options.fieldManager, force: options.force}),
      body: typed(resource, object),
      contentType: 'application/apply-patch+yaml',
      ...withSignal(options.signal),
    });
  }

  /** Replaces an object that was read: its resourceVersion guards it. */
  async update<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#write(resource, {
      method: 'PUT',
      path: withQuery(objectPath(resource, keyOf(object)), {fieldManager: options.fieldManager}),
      body: typed(resource, object),
      ...withSignal(options.signal),
    });
  }

  async mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    key: Key,
    patch: object,
    options: WriteOptions & {readonly subresource?: string} = {},
  ): Promise<T> {
    return this.#write(resource, {
      method: 'PATCH',
      path: withQuery(objectPath(resource, key, options.subresource), {fieldManager: options.fieldManager}),
      body: patch,
      contentType: 'application/merge-patch+json',
      ...withSignal(options.signal),
    });
  }

  /**
   * Merges `status` into the object's status, only if the object is still the one that the decision was made on: a
   * conflict (409) means decide again. Lists are replaced whole; `null` removes a field.
   */
  async patchStatus<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    status: object,
    options: WriteOptions = {},
  ): Promise<T> {
    const {resourceVersion, uid, name = ''} = object.metadata;
    // Without it the patch would reach whatever has the name by now.
    if (resourceVersion === undefined)
      throw new TypeError(`${resource.kind} ${name}: a status is written only on an object that was read`);
    const patch = {metadata: {resourceVersion, uid}, status};
    return this.mergePatch(resource, keyOf(object), patch, {...options, subresource: 'status'});
  }

  async jsonPatch<T extends KubeObject>(
    resource: Resource<T>,
    key: Key,
    operations: readonly object[],
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#write(resource, {
      method: 'PATCH',
      path: withQuery(objectPath(resource, key), {fieldManager: options.fieldManager}),
      body: operations,
      contentType: 'application/json-patch+json',
      ...withSignal(options.signal),
    });
  }

  /** False when there is nothing to delete: gone, or with `uid`, already another object of the name. */
  async delete<T extends KubeObject>(resource: Resource<T>, key: Key, options: DeleteOptions = {}): Promise<boolean> {
    const {uid, resourceVersion, gracePeriodSeconds, propagationPolicy, signal} = options;
    // A conflict over the uid alone: the name belongs to another object by now.
    const isAnother = uid !== undefined && resourceVersion === undefined;
    const preconditions = {
      ...(uid === undefined ? {} : {uid}),
      ...(resourceVersion === undefined ? {} : {resourceVersion}),
    };
    const body = {kind: 'DeleteOptions', apiVersion: 'v1', preconditions, gracePeriodSeconds, propagationPolicy};
    const path = objectPath(resource, key);
    try {
      const answer = await this.#call<T & StatusBody>({method: 'DELETE', path, body, ...withSignal(signal)});
      // An object that is answered waits for its finalizers or its grace period.
      if (answer.kind === resource.kind) this.#writes.stored(resource, answer);
      else this.#writes.removed(resource, key, answer.details?.uid ?? uid);
      return true;
    } catch (error) {
      const gone = error instanceof ApiError && (error.isNotFound || (error.isConflict && isAnother));
      if (!gone) throw error;
      this.#writes.removed(resource, key, uid);
      return false;
    }
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #write<T extends KubeObject>(resource: Resource<T>, call: Call): Promise<T> {
    const object = await this.#call<T>(call);
    this.#writes.stored(resource, object);
    return object;
  }

  async #call<T>(unguarded: Call): Promise<T> {
    const {guard} = this.#options;
    const call = guard === undefined || unguarded.method === 'GET' ? unguarded : {...unguarded, guard};
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#counted(call.method, call, () => this.#transport.call<T>(call));
      } catch (error) {
        const waitMs = error instanceof ApiError && error.isRetryable ? error.retryAfterMs : undefined;
        if (waitMs === undefined || attempt >= this.#tries) throw error;
        // Not before the time that the server asks for, and not all clients at that moment.
        const longer = 1 + this.#random() / 4;
        await pause(this.#clock, Math.min(waitMs, this.#maxRetryAfterMs) * longer, call.signal);
        call.signal?.throwIfAborted();
      }
    }
  }

  async #counted<T>(verb: string, call: Call, send: () => Promise<T>): Promise<T> {
    const began = this.#clock.monotonic();
    let code = '200';
    try {
      return await send();
    } catch (error) {
      code = error instanceof ApiError ? String(error.status) : error instanceof KubeError ? '<error>' : '<aborted>';
      throw error;
    } finally {
      this.#requests.inc({code, method: call.method, host: this.#transport.host});
      this.#latency.observe({verb}, (this.#clock.monotonic() - began) / 1000);
    }
  }
}

const withSignal = (signal: AbortSignal | undefined): {signal?: AbortSignal} => (signal === undefined ? {} : {signal});

const typed = <T extends KubeObject, O extends Draft<T>>(resource: Resource<T>, object: O): O & KubeObject => ({
  ...object,
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
});
