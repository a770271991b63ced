import {daemonLeaseOf, nodeOfDaemonLease} from '@wherry/api';
import {type Cache, type Client, type Clock, coordination, type Lease, type Log, pause} from '@wherry/kube';
import {
  type DaemonState,
  found,
  isBelieved,
  isOverdue,
  isSilent,
  removed,
  seen,
  type Sighting,
  stateAt,
} from './sighting.ts';

export interface DaemonWatchOptions {
  readonly leases: Pick<Cache<Lease>, 'onChange'>;
  readonly client: Pick<Client, 'get'>;
  /** Where the Leases lie. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** What decisions ask. */
export interface Daemons {
  stateOf(node: string): DaemonState;
  /** The same, but a daemon is silent only if its Lease, read now, says so too. */
  confirmed(node: string, signal: AbortSignal): Promise<DaemonState>;
}

/** A Lease is looked at so often. */
const TICK_MS = 1000;
/** A look that comes so late was kept from looking: what happened meanwhile is not known. */
const STALL_MS = 5000;

/**
 * Which node-daemons are heard of. It counts from when it saw a Lease change, never by what time the Lease says, and says
 * that a daemon is silent only after it has itself watched for the Lease's whole time, and has read the Lease once more:
 * an operator that has just begun, was stopped or cut off knows nothing. Runs on the leader.
 */
export class DaemonWatch implements Daemons {
  readonly #options: DaemonWatchOptions;
  readonly #sightings = new Map<string, Sighting>();
  readonly #states = new Map<string, DaemonState>();
  readonly #listeners: ((node: string) => void)[] = [];
  #watching = false;

  constructor(options: DaemonWatchOptions) {
    this.#options = options;
  }

  stateOf(node: string): DaemonState {
    return this.#states.get(node) ?? (this.#watching ? 'absent' : 'unknown');
  }

  async confirmed(node: string, signal: AbortSignal): Promise<DaemonState> {
    if (isSilent(this.stateOf(node))) {
      await this.#ask(node, signal);
      this.#settle(node);
    }
    return this.stateOf(node);
  }

  /** Calls `listener` for each node whose daemon is in another state than before. It must not throw. */
  onChange(listener: (node: string) => void): void {
    this.#listeners.push(listener);
  }

  /** How long each silent daemon was not heard of, in s, by the name of its node. */
  get silences(): ReadonlyMap<string, number> {
    const now = this.#options.clock.monotonic();
    const silent = [...this.#sightings].filter(([node]) => isSilent(this.stateOf(node)));
    return new Map(silent.map(([node, {at}]) => [node, (now - at) / 1000]));
  }

  /** Of all daemons that have a Lease. */
  get states(): readonly DaemonState[] {
    return [...this.#states.values()];
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const {clock, leases} = this.#options;
    this.#watching = true;
    // What is there when it begins comes first, in this very call.
    let beginning = true;
    leases.onChange(change => {
      const node = nodeOfDaemonLease(change.object.metadata.name ?? '');
      if (node === undefined) return;
      if (change.type === 'deleted') this.#removed(node);
      else this.#saw(node, change.object, beginning);
    });
    beginning = false;
    let last = clock.monotonic();
    while (!signal.aborted) {
      await pause(clock, TICK_MS, signal);
      if (clock.monotonic() - last > TICK_MS + STALL_MS) this.#beginAgain();
      if (!signal.aborted) await this.#tick(signal);
      last = clock.monotonic();
    }
  }

  #saw(node: string, lease: Lease, beginning: boolean): void {
    const now = this.#options.clock.monotonic();
    const before = this.#sightings.get(node);
    const after = beginning ? found(lease, now) : seen(before, lease, now);
    this.#sightings.set(node, after);
    // A change of something else is no time to say that it is silent.
    if (after !== before) this.#settle(node);
  }

  #removed(node: string): void {
    const before = this.#sightings.get(node);
    if (before !== undefined) this.#sightings.set(node, removed(before));
    this.#settle(node);
  }

  /** This process stood still, and so did its clock or not: it begins anew, as on its first day. */
  #beginAgain(): void {
    const now = this.#options.clock.monotonic();
    this.#options.log.warn({}, 'the operator stood still: daemons are given their whole time again');
    for (const [node, sighting] of this.#sightings) this.#sightings.set(node, {...sighting, at: now, renewed: false});
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.monotonic();
    const present = [...this.#sightings.values()].filter(sighting => sighting.present);
    const overdue = present.filter(sighting => isOverdue(sighting, now));
    for (const [node, sighting] of this.#sightings) {
      const news = isSilent(stateAt(sighting, now)) && !isSilent(this.stateOf(node));
      if (!news) this.#settle(node);
      else if (isBelieved(sighting, now, overdue.length, present.length)) await this.#judge(node, signal);
    }
  }

  /** A watch may have broken without a word, so the API server itself must say that the Lease was not renewed. */
  async #judge(node: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#ask(node, signal);
      this.#settle(node);
    } catch (error) {
      if (!signal.aborted)
        this.#options.log.warn({node, err: error}, 'lease of a silent node-daemon not read, trying again');
    }
  }

  async #ask(node: string, signal: AbortSignal): Promise<void> {
    const {client, namespace} = this.#options;
    const lease = await client.get(coordination.leases, {namespace, name: daemonLeaseOf(node)}, signal);
    if (lease === undefined) this.#removed(node);
    else this.#saw(node, lease, false);
  }

  /** Makes the state known that follows from what was seen. */
  #settle(node: string): void {
    const {clock, log} = this.#options;
    const sighting = this.#sightings.get(node);
    const state = sighting === undefined ? 'absent' : stateAt(sighting, clock.monotonic());
    const before = this.stateOf(node);
    if (state === 'absent') {
      this.#sightings.delete(node);
      this.#states.delete(node);
    } else {
      this.#states.set(node, state);
    }
    if (state === before) return;
    if (isSilent(state) && !isSilent(before)) log.warn({node}, 'node-daemon is silent');
    if (isSilent(before) && !isSilent(state)) log.info({node, state}, 'node-daemon is heard of again');
    for (const listener of this.#listeners) listener(node);
  }
}
