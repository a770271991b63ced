import type {Client} from '../client/client.ts';
import {type Clock, systemClock} from '../clock.ts';
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
}

interface Series {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Memory is bounded: what has not been used for longest goes first. */
const maxRemembered = 4096;

/** Writes events that `kubectl describe` shows. Never throws and never makes its caller wait. */
export class EventRecorder {
  readonly #options: Required<Omit<EventRecorderOptions, 'host'>> & EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, Bucket>();
  #serial = 0;
  /** Writes go one after the other, in the order of the notes. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: EventRecorderOptions) {
    this.#options = {clock: systemClock, seriesMs: 120_000, burst: 25, refillMs: 60_000, ...options};
  }

  event(object: KubeObject, note: Note): void {
    const uid = object.metadata.uid ?? '';
    if (!this.#admit(uid)) return;
    const now = this.#options.clock.now();
    const key = [uid, note.type, note.reason, note.message].join('\n');
    const known = this.#series.get(key);
    const again = known !== undefined && now - known.last < this.#options.seriesMs;
    const series: Series = again
      ? {...known, last: now, count: known.count + 1}
      : {name: this.#nameFor(object, now), first: now, last: now, count: 1};
    remember(this.#series, key, series);
    this.#last = this.#last.then(() => this.#write(object, note, series, key));
  }

  /** Resolves when all notes so far are written or given up. */
  async flush(): Promise<void> {
    await this.#last;
  }

  async #write(object: KubeObject, note: Note, series: Series, key: string): Promise<void> {
    const {client, log} = this.#options;
    const namespace = object.metadata.namespace ?? 'default';
    try {
      if (series.count === 1) {
        await client.create(core.events, this.#render(object, note, series, namespace));
        return;
      }
      const patch = {count: series.count, lastTimestamp: new Date(series.last).toISOString()};
      await client.mergePatch(core.events, {namespace, name: series.name}, patch);
    } catch (error) {
      log.debug({reason: note.reason, err: error}, 'event not written');
      // What was not written cannot be counted up: the next one is a first again.
      this.#series.delete(key);
    }
  }

  #render({apiVersion, kind, metadata}: KubeObject, note: Note, series: Series, namespace: string): Event {
    const {component, host} = this.#options;
    const {name, namespace: within, uid, resourceVersion} = metadata;
    const involved = {apiVersion, kind, name, namespace: within, uid, resourceVersion};
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {namespace, name: series.name},
      involvedObject: Object.fromEntries(Object.entries(involved).filter(([, value]) => value !== undefined)),
      type: note.type,
      reason: note.reason,
      message: cut(note.message),
      count: 1,
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

const remember = <T>(map: Map<string, T>, key: string, value: T): void => {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > maxRemembered && oldest.done === false) map.delete(oldest.value);
};
