import {setImmediate} from 'node:timers/promises';
import type {Clock} from '@wherry/kube';

/** A clock that stands still until the test moves it, and that can be held up as a process is that stands still. */
export class HandClock implements Clock {
  #at = 0;
  #timers: {readonly at: number; readonly run: () => void}[] = [];

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#at;
  }

  monotonic(): number {
    return this.#at;
  }

  schedule(ms: number, run: () => void): () => void {
    const timer = {at: this.#at + Math.max(0, ms), run};
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter(one => one !== timer);
    };
  }

  /** Time goes on without anything being done. */
  jump(ms: number): void {
    this.#at += ms;
  }

  /** What falls due is done, and what follows from it. */
  async advance(ms: number): Promise<void> {
    this.#at += ms;
    const due = this.#timers.filter(({at}) => at <= this.#at);
    this.#timers = this.#timers.filter(({at}) => at > this.#at);
    for (const {run} of due) run();
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  }
}
