export interface TokenBucketOptions {
  /** Tokens that a full bucket holds. */
  readonly burst: number;
  readonly perSecond: number;
  /** Local, never set back, in milliseconds. */
  readonly monotonic: () => number;
}

/** Allows so much at once and so much in the long run. It begins full. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #filledAt: number;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledAt = options.monotonic();
  }

  /** False where there is not as much, and nothing is taken. */
  take(tokens: number): boolean {
    const {burst, perSecond, monotonic} = this.#options;
    const now = monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    if (tokens > this.#tokens) return false;
    this.#tokens -= tokens;
    return true;
  }
}
