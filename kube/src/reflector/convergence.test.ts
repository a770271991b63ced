import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {Registry} from 'prom-client';
import type {ConfigMap} from '../objects.ts';
import {core} from '../resources.ts';
import {ManualClock, settle} from '../testing/manual-clock.ts';
import {MemoryLog} from '../testing/memory-log.ts';
import {ModelServer, type Trouble} from '../testing/model-server.ts';
import {Cache} from './cache.ts';
import type {Change} from './store.ts';

/** One thing that happens on the server, on the way, or to the time. */
type Happening =
  | {readonly do: 'put' | 'delete' | 'write'; readonly name: string}
  | {readonly do: 'deliver'; readonly count: number}
  | {readonly do: 'break' | 'trouble'; readonly how: Trouble}
  | {readonly do: 'pass'; readonly ms: number}
  | {readonly do: 'forget' | 'bookmark' | 'end' | 'settle'};

const name = fc.constantFrom('a', 'b', 'c', 'd');
const how = fc.constantFrom<Trouble>('reset', 'busy', 'gone');

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {weight: 4, arbitrary: fc.record({do: fc.constantFrom('put' as const, 'delete' as const), name})},
  {weight: 1, arbitrary: fc.record({do: fc.constant('write' as const), name})},
  {weight: 3, arbitrary: fc.record({do: fc.constant('deliver' as const), count: fc.integer({min: 1, max: 3})})},
  {weight: 2, arbitrary: fc.record({do: fc.constantFrom('break' as const, 'trouble' as const), how})},
  {weight: 2, arbitrary: fc.record({do: fc.constant('pass' as const), ms: fc.constantFrom(1, 100, 400, 7000)})},
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('forget' as const, 'bookmark' as const, 'end' as const, 'settle' as const),
    }),
  },
);

/** What one listener was told, held against what it may be told. */
class Witness {
  /** As the changes say that it is. */
  readonly objects = new Map<string, ConfigMap>();

  see(change: Change<ConfigMap>): void {
    const {name = '', uid, resourceVersion} = change.object.metadata;
    const known = this.objects.get(name);
    switch (change.type) {
      case 'added':
        expect(known).toBeUndefined();
        this.objects.set(name, change.object);
        break;
      case 'updated':
        expect(change.previous).toBe(known);
        expect(uid).toBe(known?.metadata.uid);
        expect(Number(resourceVersion)).toBeGreaterThan(Number(known?.metadata.resourceVersion));
        this.objects.set(name, change.object);
        break;
      case 'deleted':
        expect(uid).toBe(known?.metadata.uid);
        this.objects.delete(name);
        break;
    }
  }
}

const happen = async (server: ModelServer, clock: ManualClock, one: Happening): Promise<void> => {
  switch (one.do) {
    case 'put':
      server.put(one.name);
      break;
    case 'delete':
      server.delete(one.name);
      break;
    case 'write':
      server.writes.stored(core.configMaps, server.put(one.name));
      break;
    case 'deliver':
      server.deliver(one.count);
      break;
    case 'break':
      server.break(one.how);
      break;
    case 'trouble':
      server.trouble(one.how);
      break;
    case 'pass':
      await clock.advance(one.ms);
      break;
    case 'forget':
      server.forget();
      break;
    case 'bookmark':
      server.bookmark();
      break;
    case 'end':
      server.end();
      break;
    case 'settle':
      await settle();
      break;
  }
};

const versions = (objects: Iterable<ConfigMap>): string[] =>
  [...objects].map(({metadata}) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`).toSorted();

test('whatever happens in whatever order, the cache comes to what the server has, and its listeners with it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, {maxLength: 40}), async story => {
      const [server, clock, log, stop] = [new ModelServer(), new ManualClock(), new MemoryLog(), new AbortController()];
      const registry = new Registry();
      const context = {log, registry, clock, random: () => 0.5};
      const cache = new Cache({client: server.client, resource: core.configMaps, pageSize: 2, ...context});
      const witness = new Witness();
      const complaints: unknown[] = [];
      cache.onChange(change => {
        try {
          witness.see(change);
        } catch (error) {
          complaints.push(error);
        }
      });
      const running = cache.run(stop.signal);
      for (const one of story) {
        await happen(server, clock, one);
        // No decision on less than one's own write, at any time.
        for (const name of server.names)
          if (one.do === 'write' && one.name === name && cache.get({namespace: 'default', name}) === undefined)
            expect(cache.isCurrent({namespace: 'default', name})).toBe(false);
      }
      server.heal();
      for (let round = 0; round < 4; round += 1) {
        await clock.advance(20_000);
        server.deliver(1000);
        server.bookmark();
      }
      await settle();
      stop.abort();
      await running;
      expect(complaints).toEqual([]);
      expect(versions(cache.list())).toEqual(versions(server.objects.values()));
      expect(versions(witness.objects.values())).toEqual(versions(server.objects.values()));
      for (const name of ['a', 'b', 'c', 'd']) expect(cache.isCurrent({namespace: 'default', name})).toBe(true);
    }),
    {numRuns: 100},
  );
}, 60_000);
