import {setTimeout as sleep} from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long to try, in ms. Defaults to 60,000. */
  readonly timeoutMs?: number;
  /** Pause between tries, in ms. Defaults to 250. */
  readonly everyMs?: number;
}

/** Calls `check` until it returns without throwing; the last error is thrown when the time is over. */
export const eventually = async <T>(check: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> => {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= deadline) throw error;
      await sleep(options.everyMs ?? 250);
    }
  }
};
