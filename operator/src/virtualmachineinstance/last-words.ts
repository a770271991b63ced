import type {Pod} from '@wherry/kube';
import {endingOf} from './ending.ts';

/**
 * How pods ended that are gone from the API: between a container's end and its pod's removal lie milliseconds, and a
 * reconcile may see only the second. It is memory and may be lost: the daemon's word stands in for it, more slowly.
 */
export class LastWords {
  readonly #pods = new Map<string, Pod>();
  readonly #capacity: number;

  /** @param capacity how many pods are remembered; the oldest are forgotten. Defaults to 4096. */
  constructor(capacity = 4096) {
    this.#capacity = capacity;
  }

  /** A pod was removed; this is how it was last seen. */
  removed(pod: Pod): void {
    const uid = pod.metadata.uid;
    if (uid === undefined || endingOf(pod, {wanted: false, handedOver: true}) === undefined) return;
    this.#pods.set(uid, pod);
    const [oldest] = this.#pods.keys();
    if (this.#pods.size > this.#capacity && oldest !== undefined) this.#pods.delete(oldest);
  }

  of(podUid: string): Pod | undefined {
    return this.#pods.get(podUid);
  }
}
