/** Time as an argument, so that tests decide what it is. */
export interface Clock {
  /** Wall time, ms since the epoch: for what people and other machines read. */
  now(): number;
  /** Local, never set back, ms from an arbitrary start: for durations. */
  monotonic(): number;
  /** Calls `run` once after `ms`. The returned function cancels it. Does not keep the process alive. */
  schedule(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule: (ms, run) => {
    // Longer delays than Node's 2^31 ms would fire at once.
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), 0x7fff_ffff));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Around `ms`, from half to one and a half of it: what failed together is not tried again together. `random` is in [0, 1). */
export const spread = (ms: number, random: () => number): number => ms * (0.5 + random());

/** Resolves after `ms`, or at once when the signal aborts: the caller looks at the signal. */
export const pause = (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal?.aborted === true) return resolve();
    const done = (): void => {
      signal?.removeEventListener('abort', done);
      cancel();
      resolve();
    };
    const cancel = clock.schedule(ms, done);
    signal?.addEventListener('abort', done, {once: true});
  });
