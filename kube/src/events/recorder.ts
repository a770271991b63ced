import type {Client} from '../client/client.ts';
import {type Clock, pause, spread, systemClock} from '../clock.ts';
import {ApiError, isServerTrouble} from '../errors.ts';
import type {Log} from '../log.ts';
import type {Event, KubeObject} from '../objects.ts';
import {core} from '../resources.ts';

export interface Note {
  readonly type: 'Normal' | 'Warning';
  /** A word in CamelCase. */
  readonly reason: string;
  /** For people, with the remedy where there is one. At most 1,024 bytes are kept. */
  readonly message: string;
}

export interface EventRecorderOptions {
  readonly client: Pick<Client, 'create' | 'mergePatch'>;
  /** Who reports: `wherry-operator`. */
  readonly component: string;
  readonly host?: string;
  readonly log: Log;
  /** Defaults to the system's. */
  readonly clock?: Clock;
  /** The same note on the same object within that time counts up the first one, ms. Defaults to 120,000. */
  readonly seriesMs?: number;
  /** Notes on one object at once; one more comes every `refillMs`. Defaults to 25. */
  readonly burst?: number;
  /** Defaults to 60,000. */
  readonly refillMs?: number;
  /** In [0, 1). Defaults to Math.random. */
  readonly random?: () => number;
}

interface Series {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Of the last note; ms, monotonic: a wall clock that jumps neither ends a series nor keeps it for ever. */
  readonly at: number;
  readonly count: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** A note that waits to be written, rendered: it does not hold its object. */
interface Waiting {
  readonly key: string;
  readonly event: Event;
  readonly since: number;
}

/** Memory is bounded: what has not been used for longest goes first. */
const maxRemembered = 4096;
/** Notes that may wait for an API server that is away; more are dropped. */
const maxWaiting = 1000;
/** How long a note is worth a further try, ms. */
const maxAgeMs = 120_000;
/** Pause after a try that failed, ms, with jitter. */
const retryMs = 2000;

/**
 * Writes events that `kubectl describe` shows. Never throws and never makes its caller wait. An API server that is away is
 * tried again for two minutes; a refusal costs the event.
 */
export class EventRecorder {
  readonly #options: Required<Omit<EventRecorderOptions, 'host'>> & EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, Bucket>();
  readonly #waiting: Waiting[] = [];
  #serial = 0;
  /** Writes go one after the other, in the order of the notes. */
  #writer: Promise<void> | undefined;
  /** Aborted when the notes that wait must be written now or never. */
  #hurry = new AbortController();

  constructor(options: EventRecorderOptions) {
    this.#options = {
      clock: systemClock,
      random: Math.random,
      seriesMs: 120_000,
      burst: 25,
      refillMs: 60_000,
      ...options,
    };
  }

  event(object: KubeObject, note: Note): void {
    const uid = object.metadata.uid ?? '';
    if (!this.#admit(uid)) return;
    const {clock, seriesMs, log} = this.#options;
    if (this.#waiting.length >= maxWaiting) {
      log.debug({reason: note.reason}, 'event dropped: too many wait for the API server');
      return;
    }
    const at = clock.monotonic();
    const now = clock.now();
    const key = [uid, note.type, note.reason, note.message].join('\n');
    const known = this.#series.get(key);
    const again = known !== undefined && at - known.at < seriesMs;
    const series: Series = again
      ? {...known, last: now, at, count: known.count + 1}
      : {name: this.#nameFor(object, now), first: now, last: now, at, count: 1};
    remember(this.#series, key, series);
    this.#waiting.push({key, event: this.#render(object, note, series), since: at});
    this.#writer ??= this.#drain().finally(() => {
      this.#writer = undefined;
    });
  }

  /** Resolves when all notes so far are written or given up; one that cannot be written at once is given up. */
  async flush(): Promise<void> {
    const hurry = this.#hurry;
    hurry.abort();
    await this.#writer;
    if (this.#hurry === hurry) this.#hurry = new AbortController();
  }

  async #drain(): Promise<void> {
    const {clock, random, log} = this.#options;
    for (let note = this.#waiting[0]; note !== undefined; note = this.#waiting[0]) {
      const error = await this.#write(note.event).then(() => undefined, asFailure);
      const inTime = clock.monotonic() - note.since < maxAgeMs && !this.#hurry.signal.aborted;
      if (error !== undefined && isServerTrouble(error.cause) && inTime) {
        await pause(clock, spread(retryMs, random), this.#hurry.signal);
        continue;
      }
      this.#waiting.shift();
      if (error === undefined) continue;
      log.debug({reason: note.event.reason, err: error.cause}, 'event not written');
      // What was not written cannot be counted up: the next one is a first again.
      this.#series.delete(note.key);
    }
  }

  async #write(event: Event): Promise<void> {
    const {client} = this.#options;
    const {count = 1, lastTimestamp, metadata} = event;
    const {namespace = '', name = ''} = metadata;
    try {
      if (count > 1) {
        await client.mergePatch(core.events, {namespace, name}, {count, lastTimestamp});
        return;
      }
    } catch (error) {
      // The API server keeps events for an hour.
      if (!(error instanceof ApiError && error.isNotFound)) throw error;
    }
    await client.create(core.events, event).catch((error: unknown) => {
      // The answer to an earlier try was lost on its way.
      if (!(error instanceof ApiError && error.isAlreadyExists)) throw error;
    });
  }

  #render({apiVersion, kind, metadata}: KubeObject, note: Note, series: Series): Event {
    const {component, host} = this.#options;
    const {name, namespace: within, uid, resourceVersion} = metadata;
    const involved = {apiVersion, kind, name, namespace: within, uid, resourceVersion};
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {namespace: within ?? 'default', name: series.name},
      involvedObject: Object.fromEntries(Object.entries(involved).filter(([, value]) => value !== undefined)),
      type: note.type,
      reason: note.reason,
      message: cut(note.message),
      count: series.count,
      firstTimestamp: new Date(series.first).toISOString(),
      lastTimestamp: new Date(series.last).toISOString(),
      source: {component, ...(host === undefined ? {} : {host})},
      reportingComponent: component,
      reportingInstance: host ?? component,
    };
  }

  /** As client-go names them: the object's name and the time in hex; the serial keeps two of one millisecond apart. */
  #nameFor({metadata}: KubeObject, now: number): string {
    this.#serial = (this.#serial + 1) % 4096;
    const name = (metadata.name ?? '').slice(0, 200).replace(/[-.]+$/, '');
    return `${name}.${now.toString(16)}${this.#serial.toString(16).padStart(3, '0')}`;
  }

  #admit(uid: string): boolean {
    const {clock, burst, refillMs} = this.#options;
    const now = clock.monotonic();
    const bucket = this.#buckets.get(uid) ?? {tokens: burst, at: now};
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / refillMs);
    bucket.at = now;
    remember(this.#buckets, uid, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** The API takes 1,024 bytes; a character is kept whole or not at all. */
const cut = (message: string): string =>
  new TextDecoder().decode(Buffer.from(message).subarray(0, 1024), {stream: true});

const asFailure = (cause: unknown): {readonly cause: unknown} => ({cause});

const remember = <T>(map: Map<string, T>, key: string, value: T): void => {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > maxRemembered && oldest.done === false) map.delete(oldest.value);
};
