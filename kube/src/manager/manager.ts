import type {Registry} from 'prom-client';
import {type Clock, pause, systemClock} from '../clock.ts';
import type {LeaseElection} from '../election/lease-election.ts';
import {LeaseLostError, StopTimeoutError} from '../errors.ts';
import type {Log} from '../log.ts';
import type {KubeObject} from '../objects.ts';
import type {Cache} from '../reflector/cache.ts';
import {type Check, checks, HttpServer, metrics} from './http-server.ts';

/** Runs until the signal and resolves then. Its rejection ends the whole process. */
export interface Runnable {
  run(signal: AbortSignal): Promise<void>;
}

export interface ManagerOptions {
  readonly log: Log;
  readonly registry: Registry;
  /** Port of /healthz and /readyz; 0 takes a free one. */
  readonly healthPort: number;
  /** Port of /metrics; 0 takes a free one. */
  readonly metricsPort: number;
  /** Controllers run only on the leader. Without it, at once. */
  readonly election?: LeaseElection;
  /** How long a cache may take to fill, ms. Defaults to 120,000. */
  readonly syncTimeoutMs?: number;
  /** How long the parts may take to end, ms. Defaults to 30,000. */
  readonly stopTimeoutMs?: number;
  /** Defaults to the system's. */
  readonly clock?: Clock;
}

/**
 * Starts and stops the parts of a controller process in controller-runtime's order: HTTP, caches, what needs no leader,
 * election, controllers; and back.
 */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #caches: Cache<never>[] = [];
  readonly #everywhere: Runnable[] = [];
  readonly #onLeader: Runnable[] = [];
  readonly #flushes: (() => Promise<void>)[] = [];
  readonly #healthy = new Map<string, Check>();
  readonly #ready = new Map<string, Check>();
  #ports: {health: number; metrics: number} | undefined;

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  /** The ports in use; undefined before `run` has opened them. */
  get ports(): {readonly health: number; readonly metrics: number} | undefined {
    return this.#ports;
  }

  /** Filled before any controller starts, on standbys too: a new leader starts warm. */
  addCache<T extends KubeObject>(cache: Cache<T>): Cache<T> {
    this.#caches.push(cache as unknown as Cache<never>);
    this.#ready.set(`cache ${cache.resource.plural}`, () => (cache.synced ? undefined : 'not filled yet'));
    return cache;
  }

  /** Runs on the leader only, once all caches are filled. */
  addController(controller: Runnable): void {
    this.#onLeader.push(controller);
  }

  /** Runs in every process, from the start. */
  addRunnable(runnable: Runnable): void {
    this.#everywhere.push(runnable);
  }

  addHealthCheck(name: string, check: Check): void {
    this.#healthy.set(name, check);
  }

  addReadyCheck(name: string, check: Check): void {
    this.#ready.set(name, check);
  }

  /** Called when the controllers have ended: for what they left to be written, such as events. */
  addFlush(flush: () => Promise<void>): void {
    this.#flushes.push(flush);
  }

  /**
   * Runs everything until the signal, or until a part fails.
   * @throws what the part threw: SyncTimeoutError, LeaseLostError, or an error of a runnable; StopTimeoutError when a
   * part does not end. The process should end then: a part may still run.
   */
  async run(signal: AbortSignal): Promise<void> {
    const {log, registry, healthPort, metricsPort} = this.#options;
    // Probes must answer before caches are filled, or the kubelet kills a slow start.
    const health = new HttpServer({
      '/healthz': checks(this.#healthy),
      '/readyz': checks(this.#ready),
      '/livez': checks(this.#healthy),
    });
    const prometheus = new HttpServer({'/metrics': metrics(registry)});
    // Caches outlive the controllers that read them.
    const stopCaches = new AbortController();
    const failed = new AbortController();
    const guard: Guard = part => part.catch((error: unknown) => failed.abort(error));
    try {
      this.#ports = {health: await health.listen(healthPort), metrics: await prometheus.listen(metricsPort)};
      const caches = this.#caches.map(cache => guard(cache.run(stopCaches.signal)));
      await this.#work(AbortSignal.any([signal, failed.signal]), failed.signal, guard);
      stopCaches.abort();
      await Promise.all(caches);
    } finally {
      stopCaches.abort();
      await Promise.all([health.close(), prometheus.close()]);
    }
    failed.signal.throwIfAborted();
    log.info({}, 'stopped');
  }

  /** Until all parts have ended; with a lost lease, or after the stop's time, until they should have. */
  async #work(signal: AbortSignal, failed: AbortSignal, guard: Guard): Promise<void> {
    const parts = [...this.#everywhere.map(runnable => runnable.run(signal)), this.#lead(signal, guard)];
    const ended = Promise.all(parts.map(guard)).then(() => true);
    const over = new AbortController();
    const tooLong = this.#stopTime(signal, failed, over.signal).then(() => false);
    const inTime = await Promise.race([ended, tooLong]);
    over.abort();
    if (failed.reason instanceof LeaseLostError) throw failed.reason;
    if (!inTime) throw new StopTimeoutError(this.#stopTimeoutMs, failed.reason);
    // What is left to be written is not worth more time than the stop itself.
    const written = new AbortController();
    await Promise.race([
      Promise.all(this.#flushes.map(flush => flush())).finally(() => written.abort()),
      pause(this.#options.clock ?? systemClock, this.#stopTimeoutMs, written.signal),
    ]);
  }

  /** Without a lease there is no time at all: another leads, maybe, by now. */
  async #stopTime(signal: AbortSignal, failed: AbortSignal, over: AbortSignal): Promise<void> {
    await aborted(AbortSignal.any([signal, over]));
    if (failed.reason instanceof LeaseLostError) return;
    const lost = new AbortController();
    failed.addEventListener('abort', () => failed.reason instanceof LeaseLostError && lost.abort(), {once: true});
    await pause(this.#options.clock ?? systemClock, this.#stopTimeoutMs, AbortSignal.any([over, lost.signal]));
  }

  async #lead(signal: AbortSignal, guard: Guard): Promise<void> {
    const {election, syncTimeoutMs = 120_000} = this.#options;
    try {
      await Promise.all(this.#caches.map(cache => cache.waitForSync(signal, syncTimeoutMs)));
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    // It ends only when every controller has: the lease must not be given up before.
    const lead = async (leading: AbortSignal): Promise<void> => {
      await Promise.all([aborted(leading), ...this.#onLeader.map(controller => guard(controller.run(leading)))]);
    };
    await (election === undefined ? lead(signal) : election.run(signal, lead));
  }

  get #stopTimeoutMs(): number {
    return this.#options.stopTimeoutMs ?? 30_000;
  }
}

/** Makes the failure of a part the failure of all. */
type Guard = (part: Promise<void>) => Promise<void>;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), {once: true});
  });
