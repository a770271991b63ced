import {spread} from '../clock.ts';

/** How long a key must wait before it is tried again. */
export interface RateLimiter {
  /** ms until the next try of `key`; each call counts as a failure of it. `maxMs` bounds the key's own back-off this time. */
  delayMs(key: string, maxMs?: number): number;
  /** The key did well: its failures are forgotten. */
  forget(key: string): void;
  failures(key: string): number;
}

export interface BackOffOptions {
  /** After the first failure, ms. Defaults to 5. */
  readonly baseMs?: number;
  /** Defaults to 1,000,000 (1000 s). */
  readonly maxMs?: number;
  /** Retries per second over all keys in the long run. Defaults to 10. */
  readonly perSecond?: number;
  /** Retries that may go at once. Defaults to 100. */
  readonly burst?: number;
  /** ms, monotonic. */
  readonly now: () => number;
  /** In [0, 1). Defaults to Math.random. */
  readonly random?: () => number;
}

/**
 * client-go's default, with jitter: the longer of exponential back-off per key, from half to one and a half of it, and a
 * token bucket over all.
 */
export class BackOff implements RateLimiter {
  readonly #options: Required<BackOffOptions>;
  readonly #failures = new Map<string, number>();
  #tokens: number;
  #at: number;

  constructor(options: BackOffOptions) {
    this.#options = {baseMs: 5, maxMs: 1_000_000, perSecond: 10, burst: 100, random: Math.random, ...options};
    this.#tokens = this.#options.burst;
    this.#at = options.now();
  }

  delayMs(key: string, atMostMs = Number.POSITIVE_INFINITY): number {
    const {baseMs, maxMs, random} = this.#options;
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    const backOff = Math.min(baseMs * 2 ** Math.min(failures, 40), maxMs, atMostMs);
    return Math.max(spread(backOff, random), this.#takeToken());
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Tokens may go below zero: the debt is what a caller waits. */
  #takeToken(): number {
    const {perSecond, burst, now} = this.#options;
    const at = now();
    this.#tokens = Math.min(burst, this.#tokens + ((at - this.#at) / 1000) * perSecond) - 1;
    this.#at = at;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / perSecond) * 1000;
  }
}
