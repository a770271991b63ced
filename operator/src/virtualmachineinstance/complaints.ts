import {ApiError, type Client, type Clock, core, type Event} from '@wherry/kube';
import type {Stuck, Suspect} from './stuck.ts';

/** What Kubernetes says in an event about an object that a run waits for. */
export interface Complaint {
  readonly about: Suspect;
  readonly reason: string;
  readonly message: string;
}

/** What is known, and when it should be looked at again in ms; undefined where nothing is awaited. */
export interface Heard {
  readonly complaints: readonly Complaint[];
  readonly againMs: number | undefined;
}

interface Remembered {
  readonly at: number;
  readonly complaints: readonly Complaint[];
}

/** An undisturbed start is over by then, and never asks. */
const FIRST_MS = 5000;
const LONGEST_MS = 60_000;
/** The kubelet tries a mount again at least every 122 s, so a complaint that is older than the newest by more is settled. */
const FRESH_MS = 150_000;

/** Pauses grow with the time that a pod has been stuck: 5, 5, 10, 20, 40, 60 s… */
const pauseMs = (stuckMs: number): number => Math.min(LONGEST_MS, Math.max(FIRST_MS, stuckMs));

/**
 * Asks for the events of pods that are stuck: the operator may read no Secret, but the kubelet says which one is missing.
 * Nothing is watched. What was heard is kept between two looks, for a pod that is stuck brings no news by itself; that
 * is memory and may be lost.
 */
export class Complaints {
  readonly #client: Pick<Client, 'page'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #heard = new Map<string, Remembered>();
  readonly #capacity: number;

  /** @param capacity how many pods are remembered; the oldest are forgotten. Defaults to 4096. */
  constructor(client: Pick<Client, 'page'>, clock: Pick<Clock, 'now'>, capacity = 4096) {
    this.#client = client;
    this.#clock = clock;
    this.#capacity = capacity;
  }

  async about(stuck: Stuck, signal: AbortSignal): Promise<Heard> {
    const {podUid, since, suspects} = stuck;
    const now = this.#clock.now();
    const known = this.#heard.get(podUid);
    const due = known === undefined ? since + FIRST_MS : known.at + pauseMs(known.at - since);
    if (now < due) return {complaints: known?.complaints ?? [], againMs: due - now};
    const lists = await Promise.all(suspects.map(one => this.#ask(one, signal)));
    const complaints = lists.flat();
    this.#remember(podUid, {at: now, complaints});
    return {complaints, againMs: pauseMs(now - since)};
  }

  /** Nothing depends on the answer but what people are told, so a refusal stops no run. */
  async #ask(about: Suspect, signal: AbortSignal): Promise<readonly Complaint[]> {
    const selection = {namespace: about.namespace, fieldSelector: `involvedObject.uid=${about.uid}`, limit: 100};
    try {
      const {items} = await this.#client.page(core.events, selection, signal);
      return fresh(items.filter(event => isComplaint(about.kind, event))).map(({reason = '', message = ''}) => ({
        about,
        reason,
        message,
      }));
    } catch (error) {
      if (error instanceof ApiError) return [];
      throw error;
    }
  }

  #remember(podUid: string, heard: Remembered): void {
    this.#heard.delete(podUid);
    this.#heard.set(podUid, heard);
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > this.#capacity && oldest !== undefined) this.#heard.delete(oldest);
  }
}

/** What the claim's controllers say that is no warning and yet keeps a claim unbound. */
const claimWords = new Set(['FailedBinding', 'ExternalProvisioning']);

/** That a claim waits for its first consumer is as it should be, and so is that it is being provisioned. */
const isComplaint = (kind: Suspect['kind'], {type, reason}: Event): boolean =>
  type === 'Warning' || (kind === 'PersistentVolumeClaim' && claimWords.has(reason ?? ''));

/** Newest first. */
const fresh = (events: readonly Event[]): readonly Event[] => {
  const dated = events.map(event => ({event, at: lastSeen(event)})).toSorted((a, b) => b.at - a.at);
  const newest = dated[0]?.at ?? 0;
  return dated.filter(({at}) => newest - at <= FRESH_MS).map(({event}) => event);
};

const lastSeen = ({series, lastTimestamp, eventTime, metadata}: Event): number =>
  Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0;
