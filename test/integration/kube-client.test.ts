import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {ApiError, type Client, coordination, core, EventRecorder} from '@wherry/kube';
import {run} from '../../scripts/core/command.ts';
import {configMap, configMaps, keyIn, ours, silent, until, World} from './kube/world.ts';

jest.setTimeout(60_000);

let world: World;
let client: Client;

beforeAll(async () => {
  world = await World.open();
  client = await world.client();
}, 90_000);

afterAll(async () => {
  await world?.close();
}, 30_000);

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

test('200 calls use a handful of TLS connections, not one each', async () => {
  const relay = await world.relay();
  const pooled = await world.client({via: relay});
  for (let call = 0; call < 100; call += 1) await pooled.get(core.namespaces, {name: 'default'});
  expect(relay.connections).toBeLessThanOrEqual(2);
  await Promise.all(Array.from({length: 100}, () => pooled.get(core.namespaces, {name: 'default'})));
  expect(relay.connections).toBeLessThanOrEqual(16);
});

test('a created object is read back, changed and deleted', async () => {
  const made = await client.create(configMaps, configMap('life', {a: '1'}), {fieldManager: 'kube-test'});
  expect(made.metadata.uid).toBeDefined();
  expect(await failureOf(client.create(configMaps, configMap('life')))).toMatchObject({
    isAlreadyExists: true,
    isConflict: false,
  });
  expect((await client.get(configMaps, keyIn('life')))?.data).toEqual({a: '1'});
  expect((await client.mergePatch(configMaps, keyIn('life'), {data: {a: null, b: '2'}})).data).toEqual({b: '2'});
  const patched = await client.jsonPatch(configMaps, keyIn('life'), [
    {op: 'test', path: '/data/b', value: '2'},
    {op: 'add', path: '/data/c', value: '3'},
  ]);
  expect(patched.data).toEqual({b: '2', c: '3'});
  expect(await client.delete(configMaps, keyIn('life'))).toBe(true);
  expect(await client.delete(configMaps, keyIn('life'))).toBe(false);
  expect(await client.get(configMaps, keyIn('life'))).toBeUndefined();
});

test('a JSON patch whose test does not hold changes nothing', async () => {
  await client.create(configMaps, configMap('tested', {a: '1'}));
  const patch = [
    {op: 'test', path: '/data/a', value: 'other'},
    {op: 'remove', path: '/data/a'},
  ];
  expect(await failureOf(client.jsonPatch(configMaps, keyIn('tested'), patch))).toMatchObject({status: 422});
  expect((await client.get(configMaps, keyIn('tested')))?.data).toEqual({a: '1'});
});

test('applying says which fields are ours: those left out go, those of others stay', async () => {
  const owner = {fieldManager: 'one'};
  await client.apply(configMaps, configMap('applied', {mine: '1', gone: '1'}), owner);
  await client.apply(configMaps, configMap('applied', {theirs: '1'}), {fieldManager: 'two'});
  const after = await client.apply(configMaps, configMap('applied', {mine: '2'}), owner);
  expect(after.data).toEqual({mine: '2', theirs: '1'});
  const taking = configMap('applied', {theirs: '2'});
  expect(await failureOf(client.apply(configMaps, taking, owner))).toMatchObject({isConflict: true});
  expect((await client.apply(configMaps, taking, {...owner, force: true})).data?.['theirs']).toBe('2');
});

test('an update of what changed meanwhile is a conflict', async () => {
  const read = await client.create(configMaps, configMap('raced'));
  await client.mergePatch(configMaps, keyIn('raced'), {data: {a: '1'}});
  expect(await failureOf(client.update(configMaps, {...read, data: {b: '1'}}))).toMatchObject({isConflict: true});
});

const node = (name: string) => ({apiVersion: 'v1', kind: 'Node', metadata: {name}}) as const;

test('a status is written on the version that was read, and on no later one', async () => {
  const read = await client.create(core.nodes, node('n1'));
  const addresses = [{type: 'Hostname', address: 'n1'}];
  const written = await client.patchStatus(core.nodes, read, {addresses});
  expect(written.status?.addresses).toEqual(addresses);
  expect(await failureOf(client.patchStatus(core.nodes, read, {addresses: []}))).toMatchObject({isConflict: true});
});

test('a status meant for an object never lands on its successor of the same name', async () => {
  const read = await client.create(core.nodes, node('n2'));
  await client.delete(core.nodes, {name: 'n2'}, {gracePeriodSeconds: 0});
  await client.create(core.nodes, node('n2'));
  const late = {addresses: [{type: 'Hostname', address: 'late'}]};
  expect(await failureOf(client.patchStatus(core.nodes, read, late))).toBeInstanceOf(ApiError);
  expect((await client.get(core.nodes, {name: 'n2'}))?.status?.addresses).toBeUndefined();
});

test('a deletion meant for an object never takes its successor of the same name', async () => {
  const first = await client.create(configMaps, configMap('again'));
  const {uid = ''} = first.metadata;
  await client.delete(configMaps, keyIn('again'), {uid});
  await client.create(configMaps, configMap('again'));
  expect(await client.delete(configMaps, keyIn('again'), {uid})).toBe(false);
  expect(await client.get(configMaps, keyIn('again'))).toBeDefined();
});

test('a list comes in pages that make a whole, with the type of each object', async () => {
  await Promise.all(
    Array.from({length: 25}, (_, index) => client.create(configMaps, configMap(`page-${index}`, {}, 'kube-public'))),
  );
  const selection = {namespace: 'kube-public', ...ours};
  const first = await client.page(configMaps, {...selection, limit: 10});
  expect(first.items).toHaveLength(10);
  expect(first.continueToken).toBeDefined();
  const all = await client.list(configMaps, selection);
  expect(all).toHaveLength(25);
  expect(new Set(all.map(({kind, apiVersion}) => `${apiVersion} ${kind}`))).toEqual(new Set(['v1 ConfigMap']));
});

test('a watch tells of what changes from a version on, and ends when it was told to', async () => {
  const {resourceVersion} = await client.page(configMaps, {...ours, limit: 1});
  await client.create(configMaps, configMap('watched'));
  await client.delete(configMaps, keyIn('watched'));
  const told: string[] = [];
  for await (const event of await client.watch(configMaps, {...ours, resourceVersion, timeoutSeconds: 1})) {
    if (event.type !== 'BOOKMARK') told.push(`${event.type} ${event.object.metadata.name}`);
  }
  expect(told).toEqual(['ADDED watched', 'DELETED watched']);
});

test('what RBAC forbids is a refusal that names the call, and is not worth a retry', async () => {
  const {kubectl, kubeconfig} = world.plane;
  await run(kubectl, ['--kubeconfig', kubeconfig, 'create', 'serviceaccount', 'nobody', '--namespace=default']);
  const token = await run(kubectl, ['--kubeconfig', kubeconfig, 'create', 'token', 'nobody', '--namespace=default']);
  const nobody = await world.client({token: token.trim()});
  const error = await failureOf(nobody.list(core.secrets));
  expect(error).toMatchObject({status: 403, reason: 'Forbidden', isRetryable: false});
  expect(String(error)).toContain('GET /api/v1/secrets');
});

test('a kind that the server does not know is no missing object', async () => {
  const boats = {group: 'test.wherry.dev', version: 'v1', plural: 'boats', kind: 'Boat', namespaced: true};
  expect(await failureOf(client.get(boats, keyIn('a')))).toMatchObject({status: 404, isNotFound: false});
});

test('a lease takes the times that election writes', async () => {
  const lease = await client.create(coordination.leases, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {namespace: 'default', name: 'times'},
    spec: {holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.123000Z'},
  });
  expect(lease.spec?.renewTime).toBe('2026-01-01T00:00:00.123000Z');
});

test('kubectl describe shows an event with its count, and who reported it', async () => {
  const web = await client.create(configMaps, configMap('described'));
  const recorder = new EventRecorder({client, component: 'wherry-operator', log: silent});
  for (let time = 0; time < 3; time += 1) {
    recorder.event(web, {type: 'Warning', reason: 'Sinking', message: 'water comes in: bail it out'});
  }
  await recorder.flush();
  const {kubectl, kubeconfig} = world.plane;
  const shown = await run(kubectl, ['--kubeconfig', kubeconfig, 'describe', 'configmap', 'described']);
  expect(shown).toMatch(/Warning\s+Sinking\s+\S+ \(x3 over \S+\)\s+wherry-operator\s+water comes in: bail it out/);
});

test('a node’s events are shown too, though a node has no namespace', async () => {
  const n3 = await client.create(core.nodes, node('n3'));
  const recorder = new EventRecorder({client, component: 'node-daemon', log: silent});
  recorder.event(n3, {type: 'Normal', reason: 'KvmUsable', message: 'its self-test passed'});
  await recorder.flush();
  const {kubectl, kubeconfig} = world.plane;
  expect(await run(kubectl, ['--kubeconfig', kubeconfig, 'describe', 'node', 'n3'])).toContain('KvmUsable');
});

test('a call while the API server is away fails quickly, and the next one after works', async () => {
  await world.plane.apiserver.stop();
  expect(await failureOf(client.get(core.namespaces, {name: 'default'}))).toMatchObject({code: 'KUBE_TRANSPORT'});
  await world.plane.apiserver.start();
  await until(
    'a call works again',
    async () => (await failureOf(client.get(core.namespaces, {name: 'default'}))) === undefined,
  );
});

const watchFrom = async (resourceVersion: string): Promise<void> => {
  for await (const event of await client.watch(configMaps, {resourceVersion})) throw new Error(event.type);
};

test('a watch from a version that the server has forgotten is told so: list anew', async () => {
  // A server that has just started remembers nothing of before.
  await client.create(configMaps, configMap('history'));
  await world.plane.apiserver.restart();
  const {resourceVersion = ''} = (await client.get(configMaps, keyIn('history')))?.metadata ?? {};
  await client.delete(configMaps, keyIn('history'));
  expect(await failureOf(watchFrom(String(Number(resourceVersion) - 1)))).toMatchObject({status: 410, isGone: true});
});
