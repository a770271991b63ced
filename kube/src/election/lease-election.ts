import type {Gauge, Registry} from 'prom-client';
import type {Client} from '../client/client.ts';
import {Limit} from '../client/limit.ts';
import {type Clock, pause, systemClock} from '../clock.ts';
import {ApiError, isConflict, LeaseLostError} from '../errors.ts';
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
  /** When the last renewal that succeeded was sent, ms, monotonic; undefined while another may lead. */
  #renewedAt: number | undefined;

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
   * Whether this process may still do what only a leader may. To be asked before each such write: a process that was
   * stopped for a while (SIGSTOP, a starved node) goes on in the middle of a reconcile, before any timer of its own fires.
   * Stopped between this and the system call that sends, it still sends: so a write must also hold only for what it was
   * decided on, by resourceVersion or by a name that follows from its owner.
   * @throws LeaseLostError when another may lead by now.
   */
  assertLeading(): void {
    const {clock, renewDeadlineMs, lease} = this.#options;
    if (this.#renewedAt === undefined || clock.monotonic() - this.#renewedAt >= renewDeadlineMs)
      throw new LeaseLostError(lease.name);
  }

  /**
   * Waits to become the leader, then leads: `lead` gets a signal that aborts when `signal` does, and when the lease is
   * lost. The lease is given up when `lead` has ended, well or not: nothing that it began may go on then.
   * @throws LeaseLostError when the lease could not be kept: the process must end at once. What `lead` throws.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const {lease, log, identity} = this.#options;
    await this.#acquire(signal);
    if (signal.aborted) return;
    log.info({lease: lease.name, identity}, 'leading');
    this.#master.set({name: lease.name}, 1);
    const over = new AbortController();
    const lost = new AbortController();
    const renewal = this.#renew(over.signal).catch((error: unknown) => {
      this.#renewedAt = undefined;
      lost.abort(error);
      throw error;
    });
    const leading = lead(AbortSignal.any([signal, lost.signal])).then(() => undefined, asFailure);
    // Losing the lease ends this at once, whatever `lead` still does.
    const failure = await Promise.race([leading, renewal]).finally(() => {
      over.abort();
      this.#master.set({name: lease.name}, 0);
    });
    await renewal;
    await this.#release();
    if (failure !== undefined) throw failure.error;
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    const {clock, renewDeadlineMs} = this.#options;
    while (!signal.aborted) {
      const at = clock.monotonic();
      // A call that hangs on a dead connection must not keep a standby from an expired lease.
      if (await this.#tryWithin(renewDeadlineMs, signal)) {
        this.#renewedAt = at;
        return;
      }
      await this.#rest(Number.POSITIVE_INFINITY, signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const {clock, renewDeadlineMs, lease} = this.#options;
    let renewed = this.#renewedAt ?? clock.monotonic();
    const leftMs = (): number => Math.max(renewDeadlineMs - (clock.monotonic() - renewed), 0);
    for (;;) {
      await this.#rest(leftMs(), signal);
      if (signal.aborted) return;
      const at = clock.monotonic();
      // Neither a rest nor a call that hangs may outlast the deadline.
      const held = await this.#tryWithin(leftMs(), signal);
      if (signal.aborted) return;
      if (held) this.#renewedAt = renewed = at;
      // A timer may fire a moment early.
      else if (this.#heldByOther() || leftMs() < 1) throw new LeaseLostError(lease.name);
    }
  }

  async #tryWithin(ms: number, signal: AbortSignal): Promise<boolean> {
    const limit = new Limit(this.#options.clock, signal);
    limit.within(ms, () => new Error('the lease could not be renewed in time'));
    return this.#tryOnce(limit.signal).finally(() => limit.release());
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
      // Somebody wrote to it meanwhile, or deleted it: who? Until it is there again, a process that just starts may take it.
      const changed = isConflict(error) || (error instanceof ApiError && error.isNotFound);
      if (own !== undefined && changed) return this.#tryOnce(signal);
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

  async #rest(atMostMs: number, signal: AbortSignal): Promise<void> {
    const {clock, retryMs, random} = this.#options;
    await pause(clock, Math.min(retryMs * (1 + 0.2 * random()), atMostMs), signal);
  }

  /** A successor need not wait for the lease to run out. */
  async #release(): Promise<void> {
    const {client, lease, log, identity, clock, renewDeadlineMs} = this.#options;
    this.#renewedAt = undefined;
    const limit = new Limit(clock);
    // By then it runs out by itself.
    limit.within(renewDeadlineMs, () => new Error('the API server did not answer in time'));
    try {
      const current = await client.get(coordination.leases, lease, limit.signal);
      if (current?.spec?.holderIdentity !== identity) return;
      await client.update(coordination.leases, released(current, new Date(clock.now())), {signal: limit.signal});
    } catch (error) {
      log.warn({lease: lease.name, err: error}, 'lease not released, a successor waits until it runs out');
    } finally {
      limit.release();
    }
  }
}

const asFailure = (error: unknown): {readonly error: unknown} => ({error});
