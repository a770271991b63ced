import type {Cache, KubeObject} from '@wherry/kube';

interface Waiting<T> {
  readonly holds: (object: T | undefined) => boolean;
  readonly found: (at: number) => void;
}

/** Tells when something became true of an object: at the moment that the watch brought the news, not a poll later. */
export class Watched<T extends KubeObject> {
  readonly #cache: Cache<T>;
  readonly #namespace: string;
  readonly #waiting = new Map<string, Waiting<T>[]>();

  constructor(cache: Cache<T>, namespace: string) {
    this.#cache = cache;
    this.#namespace = namespace;
    cache.onChange(change => {
      const name = change.object.metadata.name ?? '';
      this.#tell(name, change.type === 'deleted' ? undefined : change.object);
    });
  }

  get(name: string): T | undefined {
    return this.#cache.get({namespace: this.#namespace, name});
  }

  /**
   * Milliseconds of the monotonic clock at which `holds` became true of the object, or is true already. `undefined` stands
   * for an object that is not there.
   * @throws Error that shows the object, when it did not within the time.
   */
  async when(name: string, holds: (object: T | undefined) => boolean, timeoutMs = 120_000): Promise<number> {
    if (holds(this.get(name))) return performance.now();
    const {promise, resolve, reject} = Promise.withResolvers<number>();
    const waiting = {holds, found: resolve};
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), waiting]);
    const timer = setTimeout(() => {
      const shown = JSON.stringify((this.get(name) as {status?: unknown} | undefined)?.status ?? 'not there');
      reject(new Error(`${name} did not get there within ${timeoutMs} ms; it is ${shown}`));
    }, timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.set(
        name,
        (this.#waiting.get(name) ?? []).filter(one => one !== waiting),
      );
    }
  }

  #tell(name: string, object: T | undefined): void {
    const at = performance.now();
    for (const waiting of this.#waiting.get(name) ?? []) if (waiting.holds(object)) waiting.found(at);
  }
}
