import {afterAll, afterEach, beforeAll, beforeEach, expect, jest, test} from '@jest/globals';
import {Cache, type CacheOptions, type Change, type Client, type ConfigMap} from '@wherry/kube';
import {Registry} from 'prom-client';
import type {Relay} from './kube/relay.ts';
import {configMap, configMaps, keyIn, ours, silent, until, World} from './kube/world.ts';

jest.setTimeout(60_000);

let world: World;
/** Straight to the API server, whatever happens to the cache's connection. */
let client: Client;
let relay: Relay;
let registry: Registry;
let stop: AbortController;
let running: Promise<void>;

beforeAll(async () => {
  world = await World.open();
  client = await world.client();
}, 90_000);

afterAll(async () => {
  await world?.close();
}, 30_000);

beforeEach(async () => {
  relay = await world.relay();
  registry = new Registry();
  stop = new AbortController();
  running = Promise.resolve();
});

afterEach(async () => {
  stop.abort();
  await running;
  for (const object of await client.list(configMaps, ours))
    await client.delete(configMaps, keyIn(object.metadata.name ?? ''));
});

interface Started {
  readonly cache: Cache<ConfigMap>;
  readonly told: string[];
}

const start = async (options: Partial<CacheOptions<ConfigMap>> & {watchIdleMs?: number} = {}): Promise<Started> => {
  const {watchIdleMs, ...rest} = options;
  const via = await world.client({via: relay, ...(watchIdleMs === undefined ? {} : {watchIdleMs})});
  const resource = configMaps;
  const cache = new Cache({client: via, resource, selection: ours, log: silent, registry, ...rest});
  const told: string[] = [];
  cache.onChange((change: Change<ConfigMap>) => told.push(`${change.type} ${change.object.metadata.name}`));
  running = cache.run(stop.signal);
  await cache.waitForSync(stop.signal, 20_000);
  return {cache, told};
};

const lists = async (): Promise<number> =>
  (await registry.getSingleMetric('reflector_lists_total')?.get())?.values[0]?.value ?? 0;

test('it holds what the selection says, and follows every change', async () => {
  await client.create(configMaps, configMap('a', {x: '1'}));
  await client.create(configMaps, {...configMap('other'), metadata: {namespace: 'default', name: 'other'}});
  const {cache, told} = await start();
  expect(cache.list().map(object => object.metadata.name)).toEqual(['a']);
  await client.mergePatch(configMaps, keyIn('a'), {data: {x: '2'}});
  await client.create(configMaps, configMap('b'));
  await client.delete(configMaps, keyIn('a'));
  await until('the deletion is told', () => told.includes('deleted a'));
  expect(told).toEqual(['added a', 'updated a', 'added b', 'deleted a']);
  expect(cache.get(keyIn('a'))).toBeUndefined();
  expect(cache.get(keyIn('b'))).toMatchObject({apiVersion: 'v1', kind: 'ConfigMap'});
  expect(cache.get(keyIn('b'))?.metadata).not.toHaveProperty('managedFields');
});

test('an object that leaves the selection is deleted from it', async () => {
  await client.create(configMaps, configMap('leaver'));
  const {cache} = await start();
  await client.mergePatch(configMaps, keyIn('leaver'), {metadata: {labels: {test: null}}});
  await until('it is gone', () => cache.get(keyIn('leaver')) === undefined);
  await client.delete(configMaps, keyIn('leaver'));
});

test('a list of several pages is whole', async () => {
  await Promise.all(Array.from({length: 23}, (_, index) => client.create(configMaps, configMap(`many-${index}`))));
  const {cache} = await start({pageSize: 5});
  expect(cache.list()).toHaveLength(23);
  expect(await lists()).toBe(1);
});

test('changes made while the connection is cut are told when it is back, without a new list', async () => {
  await client.create(configMaps, configMap('a'));
  await client.create(configMaps, configMap('b'));
  const {cache, told} = await start();
  relay.cut();
  await client.delete(configMaps, keyIn('a'));
  await client.create(configMaps, configMap('c'));
  relay.mend();
  await until('both changes are told', () => told.includes('deleted a') && told.includes('added c'));
  expect(cache.list().map(object => object.metadata.name)).toEqual(['b', 'c']);
  expect(await lists()).toBe(1);
});

test('an object deleted and made anew while the connection was cut is a deletion and an addition', async () => {
  await client.create(configMaps, configMap('phoenix'));
  const {told} = await start();
  relay.cut();
  await client.delete(configMaps, keyIn('phoenix'));
  await client.create(configMaps, configMap('phoenix'));
  relay.mend();
  await until('the addition is told', () => told.length >= 3);
  expect(told).toEqual(['added phoenix', 'deleted phoenix', 'added phoenix']);
});

test('a connection that died without a word is noticed by its silence', async () => {
  const {told} = await start({watchIdleMs: 1000});
  relay.freeze();
  await client.create(configMaps, configMap('unheard'));
  relay.mend();
  await until('the change is told', () => told.includes('added unheard'), 15_000);
});

test('it lives through a restart of the API server, and is right after it', async () => {
  await client.create(configMaps, configMap('before'));
  const {cache, told} = await start();
  await world.plane.apiserver.stop();
  expect(cache.get(keyIn('before'))).toBeDefined();
  await world.plane.apiserver.start();
  await until('a change can be made', () =>
    client.create(configMaps, configMap('after')).then(
      () => true,
      () => false,
    ),
  );
  await until('the change is told', () => told.includes('added after'), 30_000);
  expect(told.filter(change => change === 'added before')).toHaveLength(1);
});

test('when the server has forgotten its version, a new list tells what it missed', async () => {
  await client.create(configMaps, configMap('a'));
  await client.create(configMaps, configMap('b'));
  const {cache, told} = await start();
  relay.cut();
  await client.delete(configMaps, keyIn('a'));
  await client.create(configMaps, configMap('c'));
  await world.plane.apiserver.restart();
  relay.mend();
  await until('what was missed is told', () => told.includes('deleted a') && told.includes('added c'), 30_000);
  expect(told.slice(2)).toEqual(['added c', 'deleted a']);
  expect(cache.list().map(object => object.metadata.name)).toEqual(['b', 'c']);
  expect(await lists()).toBe(2);
});

test('an index finds objects by what the indexer says', async () => {
  await client.create(configMaps, configMap('red-1', {colour: 'red'}));
  await client.create(configMaps, configMap('red-2', {colour: 'red'}));
  const {cache} = await start({indexers: {colour: object => [object.data?.['colour'] ?? '']}});
  await client.mergePatch(configMaps, keyIn('red-1'), {data: {colour: 'blue'}});
  await until('the index follows', () => cache.byIndex('colour', 'blue').length === 1);
  expect(cache.byIndex('colour', 'red').map(object => object.metadata.name)).toEqual(['red-2']);
});
