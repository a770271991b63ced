import {setImmediate} from 'node:timers/promises';
import type {Client} from '../client/client.ts';
import type {Page} from '../client/options.ts';
import type {WatchEvent} from '../client/watch-stream.ts';
import {Writes} from '../client/writes.ts';
import type {KubeObject} from '../objects.ts';

type Reply<T> = {readonly page: Page<T>} | {readonly error: unknown};

/** One watch that the test feeds. */
export interface FedWatch<T> {
  readonly from: string;
  readonly aborted: boolean;
  send(event: WatchEvent<T>): void;
  /** As the server does after some minutes. */
  end(): void;
  fail(error: unknown): void;
}

/** Answers list and watch from a script, for what a real API server does only on a bad day. */
export class ScriptedServer<T extends KubeObject> {
  readonly lists: (string | undefined)[] = [];
  readonly watches: FedWatch<T>[] = [];
  /** What the test says that the client wrote. */
  readonly writes = new Writes();
  readonly #replies: Reply<T>[] = [];
  readonly #refusals: unknown[] = [];

  page(items: readonly T[], resourceVersion: string, continueToken?: string): this {
    this.#replies.push({page: {items, resourceVersion, ...(continueToken === undefined ? {} : {continueToken})}});
    return this;
  }

  refuseList(error: unknown): this {
    this.#replies.push({error});
    return this;
  }

  /** The next watch is not even opened. */
  refuseWatch(error: unknown): this {
    this.#refusals.push(error);
    return this;
  }

  get watch(): FedWatch<T> {
    const last = this.watches.at(-1);
    if (last === undefined) throw new Error('no watch was opened yet');
    return last;
  }

  get client(): Pick<Client, 'page' | 'watch' | 'onWrite'> {
    return {
      onWrite: (resource, listener) => this.writes.on(resource, listener),
      page: async (_, selection) => {
        this.lists.push(selection?.continueToken);
        // An answer from the network never comes in the same turn.
        await setImmediate();
        const reply = this.#replies.shift();
        if (reply === undefined) throw new Error('the script has no further list');
        if ('error' in reply) throw reply.error;
        return reply.page as never;
      },
      watch: async (_, {resourceVersion}, signal) => {
        if (this.#refusals.length > 0) throw this.#refusals.shift();
        return this.#open(resourceVersion, signal) as never;
      },
    };
  }

  #open(from: string, signal?: AbortSignal): AsyncIterable<WatchEvent<T>> {
    const queue: (() => IteratorResult<WatchEvent<T>>)[] = [];
    let wake: (() => void) | undefined;
    const push = (next: () => IteratorResult<WatchEvent<T>>): void => {
      queue.push(next);
      wake?.();
    };
    const watch = {
      from,
      aborted: false,
      send: (value: WatchEvent<T>) => push(() => ({value, done: false})),
      end: () => push(() => ({value: undefined, done: true})),
      fail: (error: unknown) =>
        push(() => {
          throw error;
        }),
    };
    signal?.addEventListener('abort', () => {
      watch.aborted = true;
      watch.fail(signal.reason);
    });
    this.watches.push(watch);
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          while (queue.length === 0) await new Promise<void>(resolve => (wake = resolve));
          return queue.shift()?.() ?? {value: undefined, done: true};
        },
        return: async () => {
          watch.aborted = true;
          return {value: undefined, done: true};
        },
      }),
    };
  }
}
