import {setImmediate} from 'node:timers/promises';
import type {Clock} from '../clock.ts';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands still until the test moves it. */
export class ManualClock implements Clock {
  #wall: number;
  #elapsed = 0;
  readonly #timers = new Set<Timer>();

  /** `wall` is ms since the epoch. */
  constructor(wall = Date.UTC(2026, 0, 1)) {
    this.#wall = wall;
  }

  now(): number {
    return this.#wall + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** Sets the wall clock alone, as an administrator or NTP would. */
  setWall(ms: number): void {
    this.#wall = ms - this.#elapsed;
  }

  /** Time passes and nothing runs: what a process finds that was stopped. */
  skip(ms: number): void {
    this.#elapsed += ms;
  }

  schedule(ms: number, run: () => void): () => void {
    const timer = {at: this.#elapsed + Math.max(ms, 0), run};
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Fires what falls due on the way in its order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#elapsed = Math.max(this.#elapsed, next.at);
      this.#timers.delete(next);
      next.run();
      await settle();
    }
    this.#elapsed = end;
  }

  #due(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
    return first;
  }
}

/** Lets everything run that waits for no timer: some turns of the event loop, as one answer may lead to a next call. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
};
