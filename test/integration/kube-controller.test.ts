import {afterAll, afterEach, beforeAll, expect, jest, test} from '@jest/globals';
import {
  ApiError,
  Cache,
  type Client,
  type ConfigMap,
  Controller,
  type ControllerOptions,
  coordination,
  keyOf,
  type Key,
  LeaseElection,
  LeaseLostError,
  Manager,
  owned,
  watching,
} from '@wherry/kube';
import {Registry} from 'prom-client';
import {configMap, configMaps, keyIn, silent, until, World} from './kube/world.ts';

jest.setTimeout(90_000);

let world: World;
let client: Client;
const copiers: Copier[] = [];

beforeAll(async () => {
  world = await World.open();
  client = await world.client();
}, 90_000);

afterEach(async () => {
  for (const copier of copiers.splice(0)) {
    copier.stop.abort();
    await copier.outcome;
  }
});

afterAll(async () => {
  await world?.close();
}, 30_000);

const lease = {namespace: 'default', name: 'copier'};

/** A whole little operator: every ConfigMap in `default` labelled `copy` gets a child with the same data. */
interface Copier {
  readonly stop: AbortController;
  readonly outcome: Promise<unknown>;
  readonly manager: Manager;
  readonly registry: Registry;
  readonly reconciled: string[];
}

const childOf = (parent: ConfigMap): ConfigMap => ({
  ...configMap(`${parent.metadata.name}-copy`, parent.data),
  metadata: {
    namespace: 'default',
    name: `${parent.metadata.name}-copy`,
    labels: {copier: 'child'},
    ownerReferences: [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: parent.metadata.name ?? '',
        uid: parent.metadata.uid ?? '',
        controller: true,
      },
    ],
  },
});

const startCopier = async (
  identity: string,
  options: Partial<ControllerOptions> & {elect?: boolean} = {},
): Promise<Copier> => {
  const {elect = false, ...controllerOptions} = options;
  const registry = new Registry();
  const mine = await world.client({registry});
  const context = {client: mine, log: silent, registry};
  const parents = new Cache({...context, resource: configMaps, selection: {labelSelector: 'copier=parent'}});
  const children = new Cache({...context, resource: configMaps, selection: {labelSelector: 'copier=child'}});
  const reconciled: string[] = [];
  const reconcile = async (key: Key, signal: AbortSignal): Promise<void> => {
    reconciled.push(key.name);
    const parent = parents.get(key);
    if (parent === undefined) return;
    const wanted = childOf(parent);
    const child = children.get(keyOf(wanted));
    if (child?.data?.['text'] === parent.data?.['text'] && child !== undefined) return;
    await mine.apply(configMaps, wanted, {fieldManager: 'copier', force: true, signal});
  };
  const election = new LeaseElection({
    ...context,
    lease,
    identity,
    durationMs: 4000,
    renewDeadlineMs: 2500,
    retryMs: 300,
  });
  const manager = new Manager({log: silent, registry, healthPort: 0, metricsPort: 0, ...(elect ? {election} : {})});
  manager.addCache(parents);
  manager.addCache(children);
  manager.addController(
    new Controller({
      name: 'copier',
      reconcile,
      sources: [watching(parents), owned(children, 'ConfigMap')],
      log: silent,
      registry,
      ...controllerOptions,
    }),
  );
  const stop = new AbortController();
  const outcome = manager.run(stop.signal).then(
    () => 'stopped',
    (error: unknown) => error,
  );
  const copier = {stop, outcome, manager, registry, reconciled};
  copiers.push(copier);
  return copier;
};

const parent = (name: string, text: string): ConfigMap => ({
  ...configMap(name, {text}),
  metadata: {namespace: 'default', name, labels: {copier: 'parent'}},
});

const copied = (name: string, text: string) => async (): Promise<boolean> =>
  (await client.get(configMaps, keyIn(`${name}-copy`)))?.data?.['text'] === text;

const writes = async (registry: Registry): Promise<number> => {
  const {values} = (await registry.getSingleMetric('rest_client_requests_total')?.get()) ?? {values: []};
  return values.filter(({labels}) => labels['method'] === 'PATCH').reduce((sum, {value}) => sum + value, 0);
};

test('what exists before it starts and what changes after are both made so', async () => {
  await client.create(configMaps, parent('early', 'a'));
  await startCopier('one');
  await until('the early one is copied', copied('early', 'a'));
  await client.create(configMaps, parent('late', 'b'));
  await until('the late one is copied', copied('late', 'b'));
  await client.mergePatch(configMaps, keyIn('early'), {data: {text: 'c'}});
  await until('the change is copied', copied('early', 'c'));
});

test('a child that somebody deletes or changes is set right again', async () => {
  await client.create(configMaps, parent('held', 'a'));
  await startCopier('one');
  await until('it is copied', copied('held', 'a'));
  await client.delete(configMaps, keyIn('held-copy'));
  await until('it is copied again', copied('held', 'a'));
  await client.mergePatch(configMaps, keyIn('held-copy'), {data: {text: 'vandal'}});
  await until('it is set right', copied('held', 'a'));
});

test('no decision is made twice: fifty changes in a row cost no write beyond one for each', async () => {
  await client.create(configMaps, parent('busy', '0'));
  const {registry} = await startCopier('one');
  await until('it is copied', copied('busy', '0'));
  const before = await writes(registry);
  for (let change = 1; change <= 50; change += 1)
    await client.mergePatch(configMaps, keyIn('busy'), {data: {text: String(change)}});
  await until('the last is copied', copied('busy', '50'));
  expect((await writes(registry)) - before).toBeLessThanOrEqual(50);
});

test('an API that refuses is asked later and later, until it does not', async () => {
  let refuse = true;
  const times: number[] = [];
  const copier = await startCopier('one', {
    reconcile: async ({name}) => {
      if (name !== 'refused') return;
      times.push(performance.now());
      if (refuse) throw new ApiError(403, {reason: 'Forbidden'}, {call: 'test'});
    },
  });
  await client.create(configMaps, parent('refused', 'a'));
  await until('seven tries', () => times.length >= 7);
  refuse = false;
  expect((times[6] ?? 0) - (times[5] ?? 0)).toBeGreaterThan(100);
  const {values} = (await copier.registry.getSingleMetric('controller_runtime_reconcile_errors_total')?.get()) ?? {
    values: [],
  };
  expect(values[0]?.value).toBeGreaterThanOrEqual(7);
});

test('of two, one works and the other is ready; stopped in order, it is followed at once', async () => {
  await client.create(configMaps, parent('shared', 'a'));
  const one = await startCopier('one', {elect: true});
  await until('the first works', copied('shared', 'a'));
  const two = await startCopier('two', {elect: true});
  await until('the second is ready', async () => {
    const {health} = two.manager.ports ?? {};
    return health !== undefined && (await fetch(`http://127.0.0.1:${health}/readyz`)).status === 200;
  });
  expect(two.reconciled).toEqual([]);
  const began = performance.now();
  one.stop.abort();
  expect(await one.outcome).toBe('stopped');
  await client.mergePatch(configMaps, keyIn('shared'), {data: {text: 'b'}});
  await until('the second took over', copied('shared', 'b'));
  expect(performance.now() - began).toBeLessThan(3000);
  expect((await client.get(coordination.leases, lease))?.spec?.holderIdentity).toBe('two');
});

test('a leader that cannot renew ends in time, and another follows when its lease has run out', async () => {
  const relay = await world.relay();
  const registry = new Registry();
  const cutOff = await world.client({via: relay, registry});
  const context = {
    log: silent,
    registry,
    lease: {namespace: 'default', name: 'cut'},
    durationMs: 4000,
    renewDeadlineMs: 2500,
    retryMs: 300,
  };
  const story: string[] = [];
  const one = new LeaseElection({...context, client: cutOff, identity: 'one'});
  const two = new LeaseElection({...context, client, identity: 'two'});
  const stop = new AbortController();
  const lead = (name: string) => async (signal: AbortSignal) => {
    story.push(`${name} leads`);
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), {once: true}));
  };
  const first = one
    .run(stop.signal, lead('one'))
    .catch((error: unknown) => story.push(error instanceof LeaseLostError ? 'one ends' : String(error)));
  await until('the first leads', () => story.includes('one leads'));
  const second = two.run(stop.signal, lead('two'));
  relay.freeze();
  await until('the second leads', () => story.includes('two leads'));
  expect(story).toEqual(['one leads', 'one ends', 'two leads']);
  stop.abort();
  await Promise.all([first, second]);
});

test('the metrics have the names that dashboards for controller-runtime look for', async () => {
  const {manager} = await startCopier('one', {elect: true});
  await until('it works', () => manager.ports !== undefined);
  await client.create(configMaps, parent('measured', 'a'));
  await until('it is copied', copied('measured', 'a'));
  const text = await (await fetch(`http://127.0.0.1:${manager.ports?.metrics}/metrics`)).text();
  for (const name of [
    'controller_runtime_reconcile_total{controller="copier",result="success"}',
    'controller_runtime_reconcile_errors_total',
    'controller_runtime_reconcile_time_seconds_bucket',
    'controller_runtime_active_workers',
    'workqueue_depth',
    'workqueue_adds_total',
    'workqueue_unfinished_work_seconds',
    'leader_election_master_status{name="copier"} 1',
    'rest_client_requests_total{code="200",method="GET"',
  ]) {
    expect(text).toContain(name);
  }
});
