import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {ApiError, Client, coordination, core, defineResource, type KubeObject} from '@wherry/kube';
import {Registry} from 'prom-client';
import {ApiStandIn, merged} from './api-stand-in.ts';

const instances = defineResource<KubeObject & {status?: object}>({
  group: 'kubevirt.io',
  version: 'v1',
  plural: 'virtualmachineinstances',
  kind: 'VirtualMachineInstance',
  namespaced: true,
});

let api: ApiStandIn;
let client: Client;

beforeEach(async () => {
  api = await ApiStandIn.start('n1');
  client = new Client({kubeConfig: api.kubeConfig, userAgent: 'test', registry: new Registry()});
});

afterEach(() => api[Symbol.asyncDispose]());

const guest = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstance',
  metadata: {name: 'guest', namespace: 'default', uid: 'u1'},
  status: {phase: 'Scheduled', kept: 1},
};

test.each([
  ['a value is replaced', {a: 1}, {a: 2}, {a: 2}],
  ['null removes', {a: 1, b: 2}, {a: null}, {b: 2}],
  ['objects are merged, at any depth', {a: {b: 1, c: 2}}, {a: {b: 3}}, {a: {b: 3, c: 2}}],
  ['a list is replaced whole', {a: [1, 2]}, {a: [3]}, {a: [3]}],
  ['an object takes the place of what is none', {a: 1}, {a: {b: null, c: 1}}, {a: {c: 1}}],
])('%s', (_, target, patch, result) => {
  expect(merged(target, patch)).toEqual(result);
});

test('an instance is listed, and each change of it is watched', async () => {
  api.put(guest);
  const page = await client.page(instances);
  expect(page.items.map(({metadata}) => metadata.name)).toEqual(['guest']);
  const stop = new AbortController();
  const events = await client.watch(instances, {resourceVersion: page.resourceVersion}, stop.signal);
  const seen: string[] = [];
  const watched = (async () => {
    for await (const {type} of events) if (seen.push(type) === 3) break;
  })();
  setTimeout(() => {
    api.patch('guest', {metadata: {labels: {a: 'b'}}});
    api.remove('guest');
  }, 50);
  await watched;
  expect(seen).toEqual(['MODIFIED', 'MODIFIED', 'DELETED']);
});

test('a status is written only on the version that was decided on', async () => {
  api.put(guest);
  const [read] = await client.list(instances);
  const written = await client.patchStatus(instances, read!, {phase: 'Running'});
  expect(written.status).toEqual({phase: 'Running', kept: 1});
  expect(api.instance('guest').status).toMatchObject({phase: 'Running'});
  const late = client.patchStatus(instances, read!, {phase: 'Failed'});
  await expect(late).rejects.toBeInstanceOf(ApiError);
  await expect(late).rejects.toMatchObject({isConflict: true});
});

test('the Node can be labelled, and a Lease made and renewed', async () => {
  await client.mergePatch(core.nodes, {name: 'n1'}, {metadata: {labels: {a: 'b'}}});
  expect((await client.get(core.nodes, {name: 'n1'}))?.metadata).toMatchObject({name: 'n1', labels: {a: 'b'}});
  const metadata = {name: 'l', namespace: 'x'};
  const lease = {apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata} as const;
  const key = {name: 'l', namespace: 'x'};
  expect(await client.get(coordination.leases, key)).toBeUndefined();
  await client.apply(coordination.leases, {...lease, spec: {holderIdentity: 'a'}}, {fieldManager: 'test'});
  await client.update(coordination.leases, {...lease, spec: {holderIdentity: 'b'}});
  expect(await client.get(coordination.leases, key)).toMatchObject({spec: {holderIdentity: 'b'}});
});

test('what was told about an instance is remembered', async () => {
  const involvedObject = {kind: 'VirtualMachineInstance', name: 'guest', namespace: 'x'};
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {name: 'e', namespace: 'x'},
    involvedObject,
    reason: 'Started',
  };
  await client.create(core.events, event as never);
  expect(api.told).toEqual(['guest Started']);
});
