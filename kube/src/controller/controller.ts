import type {Registry} from 'prom-client';
import {type Clock, systemClock} from '../clock.ts';
import {ApiError, isConflict, isServerTrouble, KubeError, TerminalError} from '../errors.ts';
import type {Log} from '../log.ts';
import {type Key, keyText, parseKey} from '../objects.ts';
import {observeQueue} from '../queue/metrics.ts';
import {BackOff} from '../queue/rate-limiter.ts';
import {WorkQueue} from '../queue/work-queue.ts';
import {ControllerMetrics, type Outcome} from './metrics.ts';
import type {Source} from './source.ts';

/** Look again after that time, whatever happens meanwhile; nothing to say is well. */
export type Result = {readonly afterMs?: number} | void;

export interface ControllerOptions {
  /** In metrics and logs; lower case. */
  readonly name: string;
  /**
   * Makes the world as the object says, from what is there now. Throwing means: again, after a back-off that grows;
   * a conflict is no fault and comes again quietly; a TerminalError waits for the next change.
   */
  readonly reconcile: (key: Key, signal: AbortSignal) => Promise<Result>;
  /** No key is reconciled while the cache of one of them has not seen an own write that concerns it. */
  readonly sources: readonly Source[];
  /** Reconciles at once; never two of one key. Defaults to 4. */
  readonly concurrency?: number;
  /** Longest pause before a key that failed again and again is tried once more, ms. Defaults to 1,000,000. */
  readonly maxBackOffMs?: number;
  /** Longest time of one reconcile, ms; then its signal aborts. Defaults to 60,000. */
  readonly timeoutMs?: number;
  readonly log: Log;
  readonly registry: Registry;
  /** Defaults to the system's. */
  readonly clock?: Clock;
  /** In [0, 1), for the jitter of back-offs. Defaults to Math.random. */
  readonly random?: () => number;
}

/** Longest pause, ms, before a key is tried again that failed because the API server was away: when it is back, soon. */
const serverTroubleMs = 5000;
/** Longest wait that a server may ask for, ms. */
const maxRetryAfterMs = 30_000;

type Verdict =
  | {readonly outcome: 'success'}
  | {readonly outcome: 'requeue_after'; readonly afterMs: number}
  | {readonly outcome: 'conflict' | 'not_current'}
  | {readonly outcome: 'error'; readonly error: unknown};

/** The loop of one controller: keys come from sources, and each is reconciled by one worker at a time. */
export class Controller {
  readonly name: string;
  readonly #options: ControllerOptions;
  readonly #clock: Clock;
  readonly #queue: WorkQueue;
  readonly #metrics: ControllerMetrics;

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const now = (): number => this.#clock.monotonic();
    this.#metrics = new ControllerMetrics(options.registry, options.name, this.#concurrency);
    this.#queue = new WorkQueue({
      limiter: new BackOff({
        now,
        ...(options.random === undefined ? {} : {random: options.random}),
        ...(options.maxBackOffMs === undefined ? {} : {maxMs: options.maxBackOffMs}),
      }),
      now,
      after: (ms, run) => this.#clock.schedule(ms, run),
      observer: observeQueue(options.registry, options.name, () => this.#queue),
    });
  }

  /** Looks at a key soon: for what no source knows of. */
  enqueue(key: Key, afterMs = 0): void {
    this.#queue.addAfter(keyText(key), afterMs);
  }

  /** Works until the signal, and resolves when the reconciles under way are over. Caches must be filled before. */
  async run(signal: AbortSignal): Promise<void> {
    for (const source of this.#options.sources) source.start(key => this.enqueue(key));
    const stop = (): void => this.#queue.close();
    signal.addEventListener('abort', stop, {once: true});
    if (signal.aborted) stop();
    try {
      await Promise.all(Array.from({length: this.#concurrency}, () => this.#work(signal)));
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
  }

  get #concurrency(): number {
    return this.#options.concurrency ?? 4;
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      const began = this.#clock.monotonic();
      this.#metrics.began();
      const verdict = await this.#reconcile(key, signal);
      this.#metrics.ended(verdict.outcome satisfies Outcome, this.#clock.monotonic() - began);
      this.#settle(key, verdict, signal);
      this.#queue.done(key);
    }
  }

  async #reconcile(text: string, signal: AbortSignal): Promise<Verdict> {
    const key = parseKey(text);
    const timeout = new AbortController();
    const cancel = this.#clock.schedule(this.#options.timeoutMs ?? 60_000, () =>
      timeout.abort(new Error('the reconcile took too long')),
    );
    try {
      // The source that says so enqueues the key when it is.
      if (this.#options.sources.some(source => source.isCurrent?.(key) === false)) return {outcome: 'not_current'};
      const result = await this.#options.reconcile(key, AbortSignal.any([signal, timeout.signal]));
      const afterMs = result?.afterMs;
      return afterMs === undefined ? {outcome: 'success'} : {outcome: 'requeue_after', afterMs};
    } catch (error) {
      if (isConflict(error)) return {outcome: 'conflict'};
      if (timeout.signal.aborted) this.#metrics.failed('timeout');
      return {outcome: 'error', error};
    } finally {
      cancel();
    }
  }

  #settle(key: string, verdict: Verdict, signal: AbortSignal): void {
    switch (verdict.outcome) {
      case 'success':
        this.#queue.forget(key);
        break;
      case 'requeue_after':
        this.#queue.forget(key);
        this.#queue.addAfter(key, verdict.afterMs);
        break;
      case 'conflict':
        this.#queue.retry(key);
        break;
      case 'not_current':
        break;
      case 'error':
        this.#failed(key, verdict.error, signal);
        break;
    }
  }

  #failed(key: string, error: unknown, signal: AbortSignal): void {
    // A reconcile that was cut short by the stop is no failure.
    if (signal.aborted) return;
    const {log, name} = this.#options;
    if (error instanceof TerminalError) {
      this.#metrics.failed('terminal');
      log.error({controller: name, key, err: error}, 'reconcile failed for good, waiting for a change');
      return;
    }
    const bug = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
    this.#metrics.failed(bug ? 'panic' : 'error');
    const fields = {controller: name, key, err: error};
    if (error instanceof KubeError) log.warn(fields, 'reconcile failed, trying again');
    else log.error(fields, 'reconcile failed, trying again');
    if (!isServerTrouble(error)) return this.#queue.retry(key);
    const askedMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    this.#queue.retry(key, {maxMs: serverTroubleMs, minMs: Math.min(askedMs, maxRetryAfterMs)});
  }
}
