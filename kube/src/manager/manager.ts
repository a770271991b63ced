import type {Registry} from 'prom-client';
import type {LeaseElection} from '../election/lease-election.ts';
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

  /**
   * Runs everything until the signal, or until a part fails.
   * @throws what the part threw: SyncTimeoutError, LeaseLostError, or an error of a runnable. The process should end then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const {log, registry, healthPort, metricsPort, election} = this.#options;
    // Probes must answer before caches are filled, or the kubelet kills a slow start.
    const health = new HttpServer({
      '/healthz': checks(this.#healthy),
      '/readyz': checks(this.#ready),
      '/livez': checks(this.#healthy),
    });
    const prometheus = new HttpServer({'/metrics': metrics(registry)});
    this.#ports = {health: await health.listen(healthPort), metrics: await prometheus.listen(metricsPort)};
    // Caches outlive the controllers that read them.
    const stopCaches = new AbortController();
    const failed = new AbortController();
    const work = AbortSignal.any([signal, failed.signal]);
    const guard = (part: Promise<void>): Promise<void> =>
      part.catch((error: unknown) => {
        if (!work.aborted) failed.abort(error);
      });
    const caches = this.#caches.map(cache => guard(cache.run(stopCaches.signal)));
    const everywhere = this.#everywhere.map(runnable => guard(runnable.run(work)));
    try {
      await guard(this.#lead(work, election));
      await Promise.all(everywhere);
      failed.signal.throwIfAborted();
      log.info({}, 'stopped');
    } finally {
      stopCaches.abort();
      await Promise.all(caches);
      await Promise.all([health.close(), prometheus.close()]);
    }
  }

  async #lead(signal: AbortSignal, election: LeaseElection | undefined): Promise<void> {
    const {syncTimeoutMs = 120_000} = this.#options;
    await Promise.all(this.#caches.map(cache => cache.waitForSync(signal, syncTimeoutMs)));
    const lead = async (leading: AbortSignal): Promise<void> => {
      const parts = this.#onLeader.map(controller => controller.run(leading));
      await Promise.all(parts);
    };
    if (election === undefined) await lead(signal);
    else await election.run(signal, lead);
    // With nothing to lead, the process still lives until it is told to stop.
    if (!signal.aborted && this.#onLeader.length === 0) await aborted(signal);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), {once: true});
  });
