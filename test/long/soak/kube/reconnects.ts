/**
 * Caches and a controller on an API server that breaks every watch, and what memory they hold. Run with --expose-gc.
 * Arguments: the server's URL, and after how many watches to take samples. Prints the samples as one line of JSON.
 */
import {getEventListeners} from 'node:events';
import {Cache, Client, type Clock, Controller, core, systemClock, watching} from '@wherry/kube';
import {Registry} from 'prom-client';
import type {Sample} from './sample.ts';

const [url = '', ...targets] = process.argv.slice(2);
const log = {debug: () => {}, info: () => {}, warn: () => {}, error: () => {}};
/** Back-offs pass a thousand times as fast; time-outs of calls do not. */
const clock: Clock = {
  ...systemClock,
  schedule: (ms, run) => systemClock.schedule(ms < 10_000 ? ms / 1000 : ms, run),
};
const registry = new Registry();
const kubeConfig = {url, tls: async () => ({}), headers: async () => ({})};
const client = new Client({kubeConfig, userAgent: 'soak', registry, clock});
const stop = new AbortController();
const caches = Array.from(
  {length: 4},
  () => new Cache({client, resource: core.configMaps, log, registry, clock, pageSize: 2}),
);
const controller = new Controller({
  name: 'soak',
  reconcile: async (key, signal) => void (await client.mergePatch(core.configMaps, key, {data: {}}, {signal})),
  sources: caches.map(cache => watching(cache)),
  log,
  registry,
  clock,
});

const watches = async (): Promise<number> => {
  const metric = registry.getSingleMetric('reflector_watches_total');
  return (await metric?.get())?.values[0]?.value ?? 0;
};

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) {
    globalThis.gc?.();
    await new Promise(resolve => setTimeout(resolve, 20));
  }
};

const sample = async (): Promise<Sample> => {
  await settled();
  const {heapUsed, external, arrayBuffers, rss} = process.memoryUsage();
  const listeners = getEventListeners(stop.signal, 'abort').length;
  const handles = process.getActiveResourcesInfo().length;
  return {reconnects: await watches(), heapUsed, external, arrayBuffers, rss, listeners, handles};
};

const running = [...caches.map(cache => cache.run(stop.signal)), controller.run(stop.signal)];
const samples: Sample[] = [];
for (const target of targets.map(Number)) {
  while ((await watches()) < target) await new Promise(resolve => setTimeout(resolve, 50));
  samples.push(await sample());
}
stop.abort();
await Promise.all(running);
await client.close();
process.stdout.write(`${JSON.stringify(samples)}\n`);
process.exit();
