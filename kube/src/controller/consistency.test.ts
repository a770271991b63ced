import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {core} from '../resources.ts';
import {Cache} from '../reflector/cache.ts';
import {ManualClock, settle} from '../testing/manual-clock.ts';
import {MemoryLog} from '../testing/memory-log.ts';
import {ModelServer} from '../testing/model-server.ts';
import {Controller} from './controller.ts';
import {mapped} from './source.ts';

let server: ModelServer;
let clock: ManualClock;
let controller: Controller;
let stop: AbortController;
let running: Promise<unknown>;
let reconciles: number;

const parent = {name: 'parent'};
const children = (): string[] => server.names.filter(name => name.startsWith('child'));

/** Makes a child where its cache shows none, each under another name. */
beforeEach(async () => {
  [server, clock, stop, reconciles] = [new ModelServer(), new ManualClock(), new AbortController(), 0];
  const context = {log: new MemoryLog(), registry: new Registry(), clock, random: () => 0.5};
  const cache = new Cache({client: server.client, resource: core.configMaps, ...context});
  controller = new Controller({
    ...context,
    name: 'parent',
    sources: [mapped(cache, ({metadata}) => (metadata.name?.startsWith('child') === true ? [parent] : []))],
    reconcile: async () => {
      reconciles += 1;
      if (cache.list().length === 0) server.writes.stored(core.configMaps, server.put(`child-${children().length}`));
    },
  });
  const caching = cache.run(stop.signal);
  await settle();
  running = Promise.all([caching, controller.run(stop.signal)]);
});

afterEach(async () => {
  stop.abort();
  await running;
});

const look = async (): Promise<void> => {
  controller.enqueue(parent);
  await settle();
};

test('a child is made once, however often its parent is looked at before the watch tells of the child', async () => {
  for (let time = 0; time < 5; time += 1) await look();
  expect([children(), reconciles]).toEqual([['child-0'], 1]);
  server.deliver(10);
  await settle();
  // What was held back is looked at then.
  expect(children()).toEqual(['child-0']);
  expect(reconciles).toBeGreaterThan(1);
});

test('a child that somebody deletes before the cache has seen it is made again', async () => {
  await look();
  server.delete('child-0');
  await look();
  expect(children()).toEqual([]);
  server.deliver(10);
  await settle();
  expect(children()).toEqual(['child-0']);
});

test('a watch that never tells of the child does not hold its parent up for ever', async () => {
  await look();
  await look();
  expect(reconciles).toBe(1);
  await clock.advance(11_000);
  expect(children()).toEqual(['child-0']);
  expect(reconciles).toBeGreaterThan(1);
});
