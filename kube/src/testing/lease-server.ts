import type {Client} from '../client/client.ts';
import {ApiError} from '../errors.ts';
import type {Lease} from '../objects.ts';

/** The API server as far as one Lease goes, with its optimistic locking; it can be away, or answer nothing. */
export class LeaseServer {
  lease: Lease | undefined;
  /** Calls of each kind so far. */
  readonly calls = {get: 0, create: 0, update: 0};
  state: 'up' | 'away' | 'hanging' = 'up';
  #version = 0;

  get client(): Pick<Client, 'get' | 'create' | 'update'> {
    return {
      get: async (_, __, signal) => {
        this.calls.get += 1;
        await this.#answer(signal);
        return this.lease as never;
      },
      create: async (_, object, options) => {
        this.calls.create += 1;
        await this.#answer(options?.signal);
        if (this.lease !== undefined) throw new ApiError(409, {reason: 'AlreadyExists'}, {call: 'POST'});
        return this.#store(object as unknown as Lease) as never;
      },
      update: async (_, object, options) => {
        this.calls.update += 1;
        await this.#answer(options?.signal);
        if (this.lease === undefined) throw new ApiError(404, {reason: 'NotFound'}, {call: 'PUT'});
        const known = this.lease.metadata.resourceVersion;
        if (object.metadata.resourceVersion !== known) throw new ApiError(409, {reason: 'Conflict'}, {call: 'PUT'});
        return this.#store(object as unknown as Lease) as never;
      },
    };
  }

  #store(lease: Lease): Lease {
    this.#version += 1;
    this.lease = {...lease, metadata: {...lease.metadata, resourceVersion: String(this.#version)}};
    return this.lease;
  }

  async #answer(signal?: AbortSignal): Promise<void> {
    if (this.state === 'away') throw new ApiError(503, {}, {call: 'lease'});
    if (this.state === 'hanging') {
      await new Promise<void>((_, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason as Error), {once: true}),
      );
    }
    signal?.throwIfAborted();
  }
}
