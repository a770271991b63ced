import type {RateLimiter} from './rate-limiter.ts';

/** What a queue tells of itself. All times in ms. */
export interface QueueObserver {
  added(depth: number): void;
  started(depth: number, waitedMs: number): void;
  finished(tookMs: number): void;
  retried(): void;
}

export interface WorkQueueOptions {
  readonly limiter: RateLimiter;
  /** ms, monotonic. */
  readonly now: () => number;
  /** Calls back after ms; returns how to call it off. Defaults to timers that do not keep the process alive. */
  readonly after?: (ms: number, callback: () => void) => () => void;
  readonly observer?: QueueObserver;
}

interface Delayed {
  readonly due: number;
  readonly cancel: () => void;
}

/**
 * Keys that wait for work. A key stands in it at most once; one that is being worked on is never handed out a second
 * time, and one that was added meanwhile is handed out once more when it is done. As client-go's workqueue.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #after: (ms: number, callback: () => void) => () => void;
  /** In order of arrival; the value is when it was added. Holds no key that is being worked on. */
  readonly #waiting = new Map<string, number>();
  /** When work on it began, and whether it was added again since. */
  readonly #working = new Map<string, {since: number; again: boolean}>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#after = options.after ?? unreferencedTimer;
  }

  get depth(): number {
    return this.#waiting.size;
  }

  /** How long the work has gone on that began first, ms; 0 when there is none. */
  get longestWorkMs(): number {
    return Math.max(0, ...this.#workMs());
  }

  /** How long all work under way has gone on together, ms: it grows without end when some hangs. */
  get unfinishedWorkMs(): number {
    return this.#workMs().reduce((sum, ms) => sum + ms, 0);
  }

  #workMs(): number[] {
    const now = this.#options.now();
    return [...this.#working.values()].map(({since}) => now - since);
  }

  add(key: string): void {
    if (this.#closed) return;
    const working = this.#working.get(key);
    if (working !== undefined) {
      working.again = true;
      return;
    }
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, this.#options.now());
    this.#options.observer?.added(this.depth);
    this.#handOut();
  }

  /** Adds it after `ms`, or earlier if it is already due earlier. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) return this.add(key);
    const due = this.#options.now() + ms;
    const delayed = this.#delayed.get(key);
    if (delayed !== undefined) {
      if (delayed.due <= due) return;
      delayed.cancel();
    }
    const cancel = this.#after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, {due, cancel});
  }

  /** Adds it after its back-off, which `maxMs` bounds this time, and not before `minMs`. */
  retry(key: string, {minMs = 0, maxMs}: {readonly minMs?: number; readonly maxMs?: number} = {}): void {
    this.#options.observer?.retried();
    this.addAfter(key, Math.max(this.#options.limiter.delayMs(key, maxMs), minMs));
  }

  forget(key: string): void {
    this.#options.limiter.forget(key);
  }

  /** The next key, which the caller gives back with `done`. Undefined once the queue is closed. */
  async take(): Promise<string | undefined> {
    if (this.#closed) return undefined;
    return new Promise(resolve => {
      this.#takers.push(resolve);
      this.#handOut();
    });
  }

  done(key: string): void {
    const working = this.#working.get(key);
    if (working === undefined) return;
    this.#working.delete(key);
    this.#options.observer?.finished(this.#options.now() - working.since);
    if (working.again) this.add(key);
  }

  /** Nothing is handed out or taken in any more; what is being worked on goes on. */
  close(): void {
    this.#closed = true;
    for (const {cancel} of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #handOut(): void {
    while (this.#takers.length > 0) {
      const next = this.#waiting.entries().next();
      if (next.done === true) return;
      const [key, addedAt] = next.value;
      const now = this.#options.now();
      this.#waiting.delete(key);
      this.#working.set(key, {since: now, again: false});
      this.#options.observer?.started(this.depth, now - addedAt);
      this.#takers.shift()?.(key);
    }
  }
}

const unreferencedTimer = (ms: number, callback: () => void): (() => void) => {
  // setTimeout takes at most 2^31 - 1 ms; nothing here waits 24 days.
  const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
  timer.unref();
  return () => clearTimeout(timer);
};
