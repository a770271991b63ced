import type {Gauge, Registry} from 'prom-client';
import type {Client} from '../client/client.ts';
import {type Clock, pause, systemClock} from '../clock.ts';
import {isConflict, LeaseLostError} from '../errors.ts';
import type {Log} from '../log.ts';
import {gauge} from '../metrics.ts';
import type {Key, Lease} from '../objects.ts';
import {coordination} from '../resources.ts';
import {isHeld, type Observed, observe, taken, released} from './record.ts';

export interface LeaseElectionOptions {
  readonly client: Pick<Client, 'get' | 'create' | 'update'>;
  readonly lease: Required<Key>;
  /** Unique to this process: `<pod>_<uuid>`. */
  readonly identity: string;
  readonly log: Log;
  readonly registry: Registry;
  /** Defaults to the system's. */
  readonly clock?: Clock;
  /** In [0, 1). Defaults to Math.random. */
  readonly random?: () => number;
  /** How long a lease holds that is not renewed, ms. Defaults to 15,000. */
  readonly durationMs?: number;
  /** A leader that could not renew for that long ends, ms. Defaults to 10,000: well before another may take over. */
  readonly renewDeadlineMs?: number;
  /** Between tries, ms. Defaults to 2,000. */
  readonly retryMs?: number;
}

/**
 * One leader among processes, by a Lease, as client-go elects: a lease counts as held for `durationMs` of the local
 * clock after its record was last seen to change, so that clocks need not agree.
 */
export class LeaseElection {
  readonly #options: Required<Omit<LeaseElectionOptions, 'client' | 'lease' | 'log' | 'registry'>> &
    LeaseElectionOptions;
  readonly #master: Gauge<'name'>;
  #observed: Observed | undefined;
  /** The lease as this process last wrote it: renewed without reading it again. */
  #own: Lease | undefined;

  constructor(options: LeaseElectionOptions) {
    this.#options = {
      clock: systemClock,
      random: Math.random,
      durationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryMs: 2_000,
      ...options,
    };
    this.#master = gauge(options.registry, 'leader_election_master_status', 'Whether this process leads: 1 or 0.', [
      'name',
    ]);
    this.#master.set({name: options.lease.name}, 0);
  }

  /**
   * Waits to become the leader, then leads: `lead` gets a signal that aborts when `signal` does. The lease is given up
   * when `lead` has ended, well or not: nothing that it began may go on then.
   * @throws LeaseLostError when the lease could not be kept: the process must end at once. What `lead` throws.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const {lease, log, identity} = this.#options;
    await this.#acquire(signal);
    if (signal.aborted) return;
    log.info({lease: lease.name, identity}, 'leading');
    this.#master.set({name: lease.name}, 1);
    const over = new AbortController();
    const renewal = this.#renew(over.signal);
    // Losing the lease ends this at once, whatever `lead` still does.
    const failure = await Promise.race([lead(signal).then(() => undefined, asFailure), renewal]).finally(() => {
      over.abort();
      this.#master.set({name: lease.name}, 0);
    });
    await renewal;
    await this.#release();
    if (failure !== undefined) throw failure.error;
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await this.#tryOnce(signal)) return;
      await this.#rest(signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const {clock, renewDeadlineMs, lease} = this.#options;
    let renewed = clock.monotonic();
    for (;;) {
      await this.#rest(signal);
      if (signal.aborted) return;
      const late = new AbortController();
      const cancel = clock.schedule(Math.max(renewDeadlineMs - (clock.monotonic() - renewed), 0), () => late.abort());
      const at = clock.monotonic();
      // A call that hangs must not outlast the deadline.
      const held = await this.#tryOnce(AbortSignal.any([signal, late.signal])).finally(cancel);
      if (signal.aborted) return;
      if (held) renewed = at;
      // A timer may fire a moment early, so the signal counts as well as the clock.
      else if (this.#heldByOther() || late.signal.aborted || clock.monotonic() - renewed >= renewDeadlineMs)
        throw new LeaseLostError(lease.name);
    }
  }

  /** True when this process holds the lease now. Errors are logged: the next try may do better. */
  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const {client, lease, log, identity, durationMs, clock} = this.#options;
    const own = this.#own;
    this.#own = undefined;
    try {
      const current = own ?? (await client.get(coordination.leases, lease, signal));
      if (current !== undefined) this.#see(current);
      if (this.#heldByOther()) return false;
      const wanted = taken(lease, current, {identity, durationMs, now: new Date(clock.now())});
      const stored =
        current === undefined
          ? await client.create(coordination.leases, wanted, {signal})
          : await client.update(coordination.leases, wanted, {signal});
      this.#see(stored);
      this.#own = stored;
      return true;
    } catch (error) {
      // Somebody wrote to it meanwhile: who?
      if (own !== undefined && isConflict(error)) return this.#tryOnce(signal);
      if (!signal.aborted) log.debug({lease: lease.name, err: error}, 'lease not taken, trying again');
      return false;
    }
  }

  #heldByOther(): boolean {
    const {identity, clock} = this.#options;
    return (
      this.#observed !== undefined && isHeld(this.#observed, clock.monotonic()) && this.#observed.holder !== identity
    );
  }

  #see(lease: Lease): void {
    this.#observed = observe(this.#observed, lease, this.#options.clock.monotonic());
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const {clock, retryMs, random} = this.#options;
    await pause(clock, retryMs * (1 + 0.2 * random()), signal);
  }

  /** A successor need not wait for the lease to run out. */
  async #release(): Promise<void> {
    const {client, lease, log, identity, clock} = this.#options;
    try {
      const current = await client.get(coordination.leases, lease);
      if (current?.spec?.holderIdentity !== identity) return;
      await client.update(coordination.leases, released(current, new Date(clock.now())));
    } catch (error) {
      log.warn({lease: lease.name, err: error}, 'lease not released, a successor waits until it runs out');
    }
  }
}

const asFailure = (error: unknown): {readonly error: unknown} => ({error});
