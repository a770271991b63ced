import type {Client} from '../client/client.ts';
import {type Clock, pause, systemClock} from '../clock.ts';
import {ApiError} from '../errors.ts';
import type {Log} from '../log.ts';
import type {Key, Lease, OwnerReference} from '../objects.ts';
import {coordination} from '../resources.ts';
import {microTime} from './record.ts';

export interface HeartbeatOptions {
  /** A patch needs no read before it: the right to create and to patch is enough. */
  readonly client: Pick<Client, 'create' | 'mergePatch'>;
  readonly lease: Required<Key>;
  readonly labels: Readonly<Record<string, string>>;
  /** Who renews it, for people who look. */
  readonly identity: string;
  /** What the Lease is to go with; asked for when it is made. */
  readonly owner: (signal: AbortSignal) => Promise<OwnerReference>;
  /** How long the Lease holds that is not renewed, ms. */
  readonly durationMs: number;
  /** Between renewals, ms. */
  readonly everyMs: number;
  /** Between tries when one failed, ms. Defaults to 2,000, or `everyMs` where that is less. */
  readonly retryMs?: number;
  readonly log: Log;
  /** Defaults to the system's. */
  readonly clock?: Clock;
}

/**
 * Says by a Lease of its own, again and again, that this process lives. Nobody competes for it, and it is not given up at
 * the end: a successor renews it in time, or else its silence is to be noticed.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #clock: Clock;
  #renewal: Promise<boolean> | undefined;
  #failed = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Until the signal. Never throws: what fails is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const {everyMs, retryMs = Math.min(2000, everyMs)} = this.#options;
    while (!signal.aborted) {
      const renewed = await this.renew(signal);
      await pause(this.#clock, renewed ? everyMs : retryMs, signal);
    }
  }

  /** Renews it now. False when that failed. Those who ask at the same time share one renewal. */
  renew(signal: AbortSignal): Promise<boolean> {
    this.#renewal ??= this.#once(signal).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #once(signal: AbortSignal): Promise<boolean> {
    const {log, lease, everyMs} = this.#options;
    const late = new AbortController();
    // A call that hangs must leave time for another.
    const cancel = this.#clock.schedule(everyMs, () => late.abort());
    try {
      await this.#write(AbortSignal.any([signal, late.signal]));
      if (this.#failed) log.info({lease: lease.name}, 'lease renewed again');
      this.#failed = false;
      return true;
    } catch (error) {
      if (!signal.aborted && !this.#failed)
        log.warn({lease: lease.name, err: error}, 'lease not renewed, trying again');
      this.#failed = true;
      return false;
    } finally {
      cancel();
    }
  }

  async #write(signal: AbortSignal): Promise<void> {
    const {client, lease, identity, durationMs} = this.#options;
    const renewTime = microTime(new Date(this.#clock.now()));
    const spec = {holderIdentity: identity, leaseDurationSeconds: Math.ceil(durationMs / 1000), renewTime};
    try {
      await client.mergePatch(coordination.leases, lease, {spec}, {signal});
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isNotFound) throw error;
      await client.create(coordination.leases, await this.#made({...spec, acquireTime: renewTime}, signal), {signal});
    }
  }

  async #made(spec: NonNullable<Lease['spec']>, signal: AbortSignal): Promise<Lease> {
    const {lease, labels, owner} = this.#options;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {...lease, labels: {...labels}, ownerReferences: [await owner(signal)]},
      spec,
    };
  }
}
