import {beforeEach, expect, test} from '@jest/globals';
import {ApiError} from '../errors.ts';
import type {Lease} from '../objects.ts';
import {ManualClock, settle} from '../testing/manual-clock.ts';
import {MemoryLog} from '../testing/memory-log.ts';
import {Heartbeat} from './heartbeat.ts';

/** The API server as far as this Lease goes. */
class Server {
  lease: Lease | undefined;
  state: 'up' | 'away' | 'hanging' = 'up';
  patches = 0;
  creates = 0;

  get client(): ConstructorParameters<typeof Heartbeat>[0]['client'] {
    return {
      mergePatch: async (_resource, _key, patch, options) => {
        this.patches += 1;
        await this.#answer(options?.signal);
        if (this.lease === undefined) throw new ApiError(404, {reason: 'NotFound'}, {call: 'PATCH'});
        this.lease = {...this.lease, spec: {...this.lease.spec, ...(patch as {spec: object}).spec}};
        return this.lease as never;
      },
      create: async (_resource, object) => {
        this.creates += 1;
        this.lease = object as unknown as Lease;
        return object;
      },
    };
  }

  async #answer(signal?: AbortSignal): Promise<void> {
    if (this.state === 'away') throw new ApiError(503, {}, {call: 'PATCH'});
    if (this.state !== 'hanging') return;
    await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  }
}

const owner = {apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'node-uid'};

let server: Server;
let clock: ManualClock;
let log: MemoryLog;
let beat: Heartbeat;
beforeEach(() => {
  server = new Server();
  clock = new ManualClock();
  log = new MemoryLog();
  beat = new Heartbeat({
    client: server.client,
    lease: {namespace: 'wherry', name: 'node-daemon-n1'},
    labels: {part: 'node-daemon'},
    identity: 'pod-1',
    owner: async () => owner,
    durationMs: 40_000,
    everyMs: 10_000,
    log,
    clock,
  });
});

const running = async (act: () => Promise<void>): Promise<void> => {
  const stop = new AbortController();
  const ended = beat.run(stop.signal);
  await settle();
  await act();
  stop.abort();
  await ended;
};

test('the Lease is made once, with what it goes with, and then patched', async () => {
  await running(async () => {
    expect(server.lease).toMatchObject({
      metadata: {namespace: 'wherry', name: 'node-daemon-n1', labels: {part: 'node-daemon'}, ownerReferences: [owner]},
      spec: {holderIdentity: 'pod-1', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.000000Z'},
    });
    await clock.advance(10_000);
    expect(server.lease?.spec?.renewTime).toBe('2026-01-01T00:00:10.000000Z');
    expect(server.lease?.spec?.acquireTime).toBe('2026-01-01T00:00:00.000000Z');
  });
  expect([server.creates, server.patches]).toEqual([1, 2]);
});

test('one write is made in each period', async () => {
  await running(async () => {
    const before = server.patches;
    await clock.advance(100_000);
    expect(server.patches - before).toBe(10);
  });
});

test('a Lease that somebody deleted is made again', async () => {
  await running(async () => {
    server.lease = undefined;
    await clock.advance(10_000);
    expect(server.lease).toBeDefined();
  });
});

test('a failed renewal is tried again sooner, and told once', async () => {
  server.state = 'away';
  await running(async () => {
    await clock.advance(7000);
    expect(server.patches).toBe(4);
    server.state = 'up';
    await clock.advance(2000);
    expect(server.lease).toBeDefined();
  });
  expect(log.messages('warn')).toEqual(['lease not renewed, trying again']);
  expect(log.messages('info')).toEqual(['lease renewed again']);
});

test('a call that hangs is given up in time for another', async () => {
  server.state = 'hanging';
  await running(async () => {
    await clock.advance(10_000);
    server.state = 'up';
    await clock.advance(2000);
    expect(server.lease).toBeDefined();
  });
});

test('who asks for a renewal while one is under way gets that one', async () => {
  const {signal} = new AbortController();
  expect(await Promise.all([beat.renew(signal), beat.renew(signal)])).toEqual([true, true]);
  expect(server.patches).toBe(1);
});

test('it is not given up at the end: whoever comes next renews it', async () => {
  await running(async () => {});
  expect(server.lease?.spec?.holderIdentity).toBe('pod-1');
});
