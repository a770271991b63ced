import type {Counter, Histogram, Registry} from 'prom-client';
import {type Clock, pause, systemClock} from '../clock.ts';
import {ApiError, KubeError} from '../errors.ts';
import {counter, histogram, latencyBuckets} from '../metrics.ts';
import {type Draft, type Key, keyOf, type KubeObject} from '../objects.ts';
import {apiVersionOf, collectionPath, core, objectPath, type Resource} from '../resources.ts';
import type {KubeConfig} from './kube-config.ts';
import {withQuery} from './query.ts';
import {type Call, Transport} from './transport.ts';
import {type WatchEvent, watchEvents} from './watch-stream.ts';

export interface ClientOptions {
  readonly kubeConfig: KubeConfig;
  /** `program/version`, as audit logs show it. */
  readonly userAgent: string;
  readonly registry: Registry;
  /** Defaults to the system's. */
  readonly clock?: Clock;
  /** Most tries of a call that the server asks to repeat later. Defaults to 3. */
  readonly tries?: number;
  /** Longest wait that a server may ask for, ms. Defaults to 10,000. */
  readonly maxRetryAfterMs?: number;
  /** Time for one call, ms. Defaults to 30,000. */
  readonly timeoutMs?: number;
  /** How long a watch may be silent, ms. Defaults to 120,000. */
  readonly watchIdleMs?: number;
}

export interface WriteOptions {
  /** Who owns the fields written: one name per role. */
  readonly fieldManager?: string;
  readonly signal?: AbortSignal;
}

export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** There is more: the token of the next page. */
  readonly continueToken?: string;
}

export interface DeleteOptions {
  /** Only if the object still has this uid: never its successor of the same name. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly signal?: AbortSignal;
}

interface ListBody<T> {
  readonly items?: readonly T[];
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
  readonly #requests: Counter<'code' | 'method' | 'host'>;
  readonly #latency: Histogram<'verb'>;

  constructor(options: ClientOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#tries = options.tries ?? 3;
    this.#maxRetryAfterMs = options.maxRetryAfterMs ?? 10_000;
    this.#transport = new Transport({
      kubeConfig: options.kubeConfig,
      userAgent: options.userAgent,
      clock: this.#clock,
      ...(options.timeoutMs === undefined ? {} : {timeoutMs: options.timeoutMs}),
      ...(options.watchIdleMs === undefined ? {} : {idleMs: options.watchIdleMs}),
    });
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

  /** The object, or undefined when there is none. */
  async get<T extends KubeObject>(resource: Resource<T>, key: Key, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return await this.#call<T>({method: 'GET', path: objectPath(resource, key), ...withSignal(signal)});
    } catch (error) {
      if (error instanceof ApiError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /** One page of at most `limit` objects. Without `continueToken`, the first. */
  async page<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection & {readonly limit?: number; readonly continueToken?: string} = {},
    signal?: AbortSignal,
  ): Promise<Page<T>> {
    const {namespace, limit, continueToken, ...selectors} = selection;
    const path = withQuery(collectionPath(resource, namespace), {...selectors, limit, continue: continueToken});
    const body = await this.#call<ListBody<T>>({method: 'GET', path, ...withSignal(signal)});
    const token = body.metadata?.continue;
    return {
      // Items of a list of built-in objects come without their type.
      items: (body.items ?? []).map(item => typed(resource, item)),
      resourceVersion: body.metadata?.resourceVersion ?? '',
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
    const chunks = await this.#counted('WATCH', {method: 'GET', path}, () =>
      this.#transport.stream({method: 'GET', path, ...withSignal(signal)}),
    );
    return watchEvents<T>(resource.plural, chunks, signal);
  }

  /** What the only container of a pod has written so far. */
  async podLog(key: Key, signal?: AbortSignal): Promise<string> {
    const call: Call = {method: 'GET', path: objectPath(core.pods, key, 'log'), ...withSignal(signal)};
    return this.#counted('GET', call, async () => {
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of await this.#transport.stream(call)) text += decoder.decode(chunk, {stream: true});
      return text;
    });
  }

  async create<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: {fieldManager?: string; signal?: AbortSignal} = {},
  ): Promise<T> {
    return this.#call<T>({
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
    return this.#call<T>({
      method: 'PATCH',
      path: withQuery(objectPath(resource, keyOf(object)), {fieldManager: options.fieldManager, force: options.force}),
      body: typed(resource, object),
      contentType: 'application/apply-patch+yaml',
      ...withSignal(options.signal),
    });
  }

  /** Replaces an object that was read: its resourceVersion guards it. */
  async update<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#call<T>({
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
    return this.#call<T>({
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
    return this.#call<T>({
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
    const preconditions = {
      ...(uid === undefined ? {} : {uid}),
      ...(resourceVersion === undefined ? {} : {resourceVersion}),
    };
    const body = {kind: 'DeleteOptions', apiVersion: 'v1', preconditions, gracePeriodSeconds, propagationPolicy};
    try {
      await this.#call({method: 'DELETE', path: objectPath(resource, key), body, ...withSignal(signal)});
      return true;
    } catch (error) {
      if (
        error instanceof ApiError &&
        (error.isNotFound || (uid !== undefined && resourceVersion === undefined && error.isConflict))
      )
        return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #call<T>(call: Call): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#counted(call.method, call, () => this.#transport.call<T>(call));
      } catch (error) {
        const waitMs = error instanceof ApiError && error.isRetryable ? error.retryAfterMs : undefined;
        if (waitMs === undefined || attempt >= this.#tries) throw error;
        await pause(this.#clock, Math.min(waitMs, this.#maxRetryAfterMs), call.signal ?? new AbortController().signal);
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
