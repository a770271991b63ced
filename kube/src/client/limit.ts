import type {Clock} from '../clock.ts';

/** A signal that aborts with an outer one, or when a time is over. The time can be set anew; `release` ends both. */
export class Limit {
  readonly #clock: Clock;
  readonly #outer: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #relay = (): void => this.#controller.abort(this.#outer?.reason);
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, outer?: AbortSignal) {
    this.#clock = clock;
    this.#outer = outer;
    if (outer?.aborted === true) this.#relay();
    // Not AbortSignal.any: an outer signal lives as long as the process, and each watch would leave something on it.
    else outer?.addEventListener('abort', this.#relay, {once: true});
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on, `ms` until it aborts with `error()`. */
  within(ms: number, error: () => Error): void {
    this.#cancel();
    this.#cancel = this.#clock.schedule(ms, () => this.#controller.abort(error()));
  }

  abort(error: Error): void {
    this.#controller.abort(error);
  }

  /** No time any more. */
  lift(): void {
    this.#cancel();
  }

  release(): void {
    this.lift();
    this.#outer?.removeEventListener('abort', this.#relay);
  }
}
