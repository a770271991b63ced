/** Asks one guest's engine from time to time whether it still answers, beside the guest's turns: one that hangs holds nobody up. */
import {type Clock, pause} from '@wherry/kube';
import {isDaemonError} from '../errors.ts';

/** Between two questions to an engine that answers. */
const BEAT_MS = 10_000;
/** Between two questions to one that did not. */
const AGAIN_MS = 2000;
/** So many questions in a row must go without an answer: an engine may be busy for some seconds. */
const MISSES = 2;

export interface PulseOptions {
  /** One question. Rejects with TIMED_OUT where no answer came in time. */
  readonly ask: () => Promise<unknown>;
  /** It answers no more, or does again. Must not throw. */
  readonly onChange: () => void;
  readonly clock: Clock;
}

export class Pulse {
  readonly #options: PulseOptions;
  readonly #stop = new AbortController();
  #misses = 0;
  #running = false;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  get answers(): boolean {
    return this.#misses < MISSES;
  }

  /** Begins to ask; calling it again changes nothing. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run(this.#stop.signal);
  }

  close(): void {
    this.#stop.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const {ask, clock, onChange} = this.#options;
    for (;;) {
      await pause(clock, this.#misses === 0 ? BEAT_MS : AGAIN_MS, signal);
      if (signal.aborted) return;
      const before = this.answers;
      this.#misses = await ask().then(
        () => 0,
        // What ended with its connection, or was refused, says nothing about the engine.
        (error: unknown) => (isDaemonError(error, 'TIMED_OUT') ? this.#misses + 1 : this.#misses),
      );
      if (!signal.aborted && this.answers !== before) onChange();
    }
  }
}
