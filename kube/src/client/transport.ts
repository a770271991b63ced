import {Agent, request, type Dispatcher} from 'undici';
import type {Clock} from '../clock.ts';
import {ApiError, CallTimeoutError, KubeError, MalformedError, type StatusBody, TransportError} from '../errors.ts';
import type {KubeConfig, TlsMaterial} from './kube-config.ts';
import {Limit} from './limit.ts';

export interface TransportOptions {
  readonly kubeConfig: KubeConfig;
  readonly userAgent: string;
  /** Most connections for calls; watches have their own. Defaults to 16. */
  readonly connections?: number;
  /** Time for one call, ms. Defaults to 30,000. */
  readonly timeoutMs?: number;
  /** How long a watch may be silent before its connection counts as dead, ms. Bookmarks come every minute. Defaults to 120,000. */
  readonly idleMs?: number;
  /** How often files with certificates are looked at again, ms. Defaults to 60,000. */
  readonly reloadMs?: number;
  readonly clock: Clock;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly body?: object;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Called at the last moment before the request is sent; what it throws is the outcome. */
  readonly guard?: () => void;
}

export interface Stream {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Ends the stream; its reader may bound how long it waits. */
  readonly limit: Limit;
}

interface Pools {
  readonly calls: Agent;
  readonly watches: Agent;
  readonly material: string;
}

/**
 * Pooled, authenticated HTTP to one API server. One pool serves all calls: a pool made per request would open a TLS
 * connection for each.
 */
export class Transport {
  readonly #options: Required<TransportOptions>;
  #pools: Pools | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<Pools> | undefined;

  constructor(options: TransportOptions) {
    this.#options = {connections: 16, timeoutMs: 30_000, idleMs: 120_000, reloadMs: 60_000, ...options};
  }

  get host(): string {
    return new URL(this.#options.kubeConfig.url).host;
  }

  /** @throws ApiError for an answer other than 2xx, TransportError or CallTimeoutError when there is none. */
  async call<T>(call: Call): Promise<T> {
    const {timeoutMs, clock} = this.#options;
    const what = `${call.method} ${call.path}`;
    const limit = new Limit(clock, call.signal);
    // An answer that trickles is cut off too: silence alone would never be seen.
    limit.within(timeoutMs, () => new CallTimeoutError(what, timeoutMs));
    try {
      const response = await this.#send(call, 'calls', timeoutMs, limit.signal);
      return (await response.body.json()) as T;
    } catch (error) {
      if (error instanceof KubeError) throw error;
      limit.signal.throwIfAborted();
      throw error instanceof SyntaxError
        ? new MalformedError(what, 'the answer is no JSON', error)
        : this.#broken(what, error);
    } finally {
      limit.release();
    }
  }

  /** An answer that goes on until the server or the signal ends it. Its beginning is bound by the time for a call. */
  async stream(call: Call): Promise<Stream> {
    const {timeoutMs, idleMs, clock} = this.#options;
    const limit = new Limit(clock, call.signal);
    limit.within(timeoutMs, () => new CallTimeoutError(`${call.method} ${call.path}`, timeoutMs));
    try {
      const {body} = await this.#send(call, 'watches', idleMs, limit.signal);
      limit.lift();
      return {chunks: released(body, limit), limit};
    } catch (error) {
      limit.release();
      throw error;
    }
  }

  async close(): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    if (pools !== undefined) await Promise.all([pools.calls.destroy(), pools.watches.destroy()]);
  }

  async #send(
    call: Call,
    pool: 'calls' | 'watches',
    bodyTimeout: number,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const {kubeConfig, userAgent, timeoutMs} = this.#options;
    const what = `${call.method} ${call.path}`;
    call.signal?.throwIfAborted();
    let response: Dispatcher.ResponseData;
    try {
      const pools = await this.#currentPools();
      const credentials = await kubeConfig.headers();
      // Nothing is awaited from here to the sending: a process can be stopped for a minute at any await.
      call.guard?.();
      const sent = request(`${kubeConfig.url}${call.path}`, {
        dispatcher: pools[pool],
        method: call.method,
        headers: {
          ...credentials,
          accept: 'application/json',
          'user-agent': userAgent,
          ...(call.body === undefined ? {} : {'content-type': call.contentType ?? 'application/json'}),
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        headersTimeout: timeoutMs,
        bodyTimeout,
        signal,
      });
      response = await orAborted(sent, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof KubeError ? error : this.#broken(what, error);
    }
    if (response.statusCode >= 200 && response.statusCode < 300) return response;
    const refusal = await toApiError(what, response);
    signal.throwIfAborted();
    throw refusal;
  }

  #broken(what: string, error: unknown): Error {
    const code = (error as {code?: unknown}).code;
    const late = code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
    return late ? new CallTimeoutError(what, this.#options.timeoutMs) : new TransportError(what, error);
  }

  /** Pools are made anew when the certificates change; calls under way finish on the old ones. */
  async #currentPools(): Promise<Pools> {
    const {clock, reloadMs} = this.#options;
    if (this.#pools !== undefined && clock.monotonic() - this.#checkedAt < reloadMs) return this.#pools;
    this.#checking ??= this.#refresh().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #refresh(): Promise<Pools> {
    const tls = await this.#options.kubeConfig.tls();
    this.#checkedAt = this.#options.clock.monotonic();
    const material = fingerprint(tls);
    if (this.#pools?.material === material) return this.#pools;
    const old = this.#pools;
    const connect = {...tls, keepAlive: true, keepAliveInitialDelay: 30_000};
    // HTTP/1.1: over HTTP/2 a starved event loop ends quiet watches, and buffers outside the heap grow without bound.
    const allowH2 = false;
    this.#pools = {
      calls: new Agent({connect, allowH2, connections: this.#options.connections, keepAliveTimeout: 60_000}),
      watches: new Agent({connect, allowH2}),
      material,
    };
    // `close` waits for the requests that still run on the old pool.
    void old?.calls.close().catch(() => undefined);
    void old?.watches.close().catch(() => undefined);
    return this.#pools;
  }
}

/**
 * The work, or the signal's reason as soon as it aborts. undici tells of an abort only once the connection is made or
 * has failed, and a leader that cannot renew has no ten seconds to wait for that.
 */
const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, {once: true});
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });

async function* released(chunks: AsyncIterable<Uint8Array>, limit: Limit): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } finally {
    limit.release();
  }
}

const fingerprint = (tls: TlsMaterial): string =>
  JSON.stringify([tls.ca, tls.cert, tls.key].map(part => part?.toString())) + String(tls.servername);

const toApiError = async (what: string, response: Dispatcher.ResponseData): Promise<ApiError> => {
  const text = await response.body.text().catch(() => '');
  const body = parseStatus(text);
  const header = Number(response.headers['retry-after']);
  const seconds = Number.isFinite(header) && header > 0 ? header : body.details?.retryAfterSeconds;
  return new ApiError(response.statusCode, body, {
    call: what,
    ...(seconds === undefined ? {} : {retryAfterMs: seconds * 1000}),
  });
};

/** Proxies and a starting API server answer with plain text. */
const parseStatus = (text: string): StatusBody => {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return body;
  } catch {
    // Falls through: the text itself is the message.
  }
  return text === '' ? {} : {message: text.slice(0, 500).trim()};
};
