/**
 * When a guest that its engine stopped for a failed disk is let run on, to see whether the storage is well again: the
 * engine then repeats what had failed, and stops the guest again where it fails again. No time passes by itself here.
 */
import type {PauseCause} from './launcher-view.ts';

/** Milliseconds before the first try; each further one waits twice as long, up to the longest. */
const FIRST_MS = 5000;
const LONGEST_MS = 60_000;
/** A guest that ran so long has overcome its fault: the next one is a new one. */
const CALM_MS = 60_000;
/** A try that fails does so within milliseconds. Before this, nothing is said of it. */
const TRIAL_MS = 2000;

export class IoRetry {
  #waitMs = FIRST_MS;
  /** When the next try is due; undefined where nothing has failed. */
  #at: number | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #ranSince: number | undefined;

  /** How the guest is now. */
  see(paused: PauseCause | undefined, now: number): void {
    if (paused !== 'ioError') {
      this.#ranSince ??= now;
      return;
    }
    if (this.#ranSince !== undefined && now - this.#ranSince >= CALM_MS) this.#waitMs = FIRST_MS;
    if (this.#at === undefined || this.#ranSince !== undefined) this.#at = now + this.#waitMs;
    this.#ranSince = undefined;
  }

  /** Milliseconds until the next try, 0 where it is due; undefined while the guest runs. */
  dueMs(now: number): number | undefined {
    return this.#at === undefined || this.#ranSince !== undefined ? undefined : Math.max(0, this.#at - now);
  }

  /** The guest has been told to run on. */
  tried(now: number): void {
    if (this.dueMs(now) === undefined) return;
    this.#triedAt = now;
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_MS);
    this.#at = now + this.#waitMs;
  }

  /** Milliseconds until it is known whether the last try has helped; undefined where it is. */
  trialMs(now: number): number | undefined {
    const left = this.#triedAt + TRIAL_MS - now;
    return left > 0 ? left : undefined;
  }
}
