import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import {tinyVm} from '../support/guests.ts';
import {Cluster, type Vmi} from './cluster.ts';

jest.setTimeout(240_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('strategy');
  const {tiny} = cluster.env.images;
  await cluster.kubectl.apply(
    tinyVm('asked', tiny, {runStrategy: 'Manual'}),
    tinyVm('usual', tiny, {labels: {app: 'usual'}}),
    tinyVm('kept', tiny, {labels: {app: 'kept'}, spec: {evictionStrategy: 'External'}}),
  );
});
afterAll(() => cluster?.close());

/** As a person would, and as KubeVirt's API does for virtctl. */
const ask = (name: string, ...stateChangeRequests: object[]): Promise<string> =>
  cluster.kubectl.run(
    'patch',
    `vm/${name}`,
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({status: {stateChangeRequests}}),
  );

const evict = async (name: string): Promise<string> => {
  const pod = (await cluster.pod(name)).metadata.name;
  const {namespace} = cluster.kubectl;
  return cluster.kubectl.post(`/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: {name: pod, namespace},
  });
};

const runsAgain = (name: string, before: Vmi): Promise<void> =>
  eventually(async () => {
    const now = await cluster.vmi(name);
    expect(now.metadata.uid).not.toBe(before.metadata.uid);
    expect(now.status?.phase).toBe('Running');
  });

test('under Manual a machine is started and stopped by requests, which are gone when they are done', async () => {
  await cluster.status('asked', 'Stopped');
  await ask('asked', {action: 'Start'});
  const {metadata, status} = await cluster.running('asked');
  // Who looks for the guests of a node finds it.
  const labelled = await cluster.kubectl.run(
    'get',
    'vmi',
    '-l',
    `kubevirt.io/nodeName=${status?.nodeName}`,
    '-o',
    'name',
  );
  expect(labelled).toContain('/asked');
  await ask('asked', {action: 'Stop', uid: metadata.uid});
  await cluster.status('asked', 'Stopped');
  const left = await cluster.kubectl.run('get', 'vm', 'asked', '-o', 'jsonpath={.status.stateChangeRequests}');
  expect(left).toBe('');
});

test('an eviction shuts a guest down in order, and its machine runs again', async () => {
  const before = await cluster.running('usual');
  await cluster.booted('usual', /login:/);
  await evict('usual');
  await runsAgain('usual', before);
  const said = await cluster.kubectl.run(
    'get',
    'events',
    `--field-selector=reason=Stopped,involvedObject.uid=${before.metadata.uid}`,
    '-o',
    'jsonpath={.items[*].message}',
  );
  expect(said).toContain('the guest shut down because its pod was stopped');
});

test('a guest with evictionStrategy External cannot be evicted; a drain waits until its machine is stopped', async () => {
  const before = await cluster.running('kept');
  await expect(evict('kept')).rejects.toThrow(/disruption budget/);
  const node = before.status?.nodeName ?? '';
  try {
    const drain = cluster.kubectl.run(
      'drain',
      node,
      '--pod-selector=app=kept',
      '--delete-emptydir-data',
      '--ignore-daemonsets',
      '--timeout=90s',
    );
    await Promise.race([
      drain,
      eventually(async () => {
        const now = await cluster.kubectl.json<{status: {evacuationNodeName?: string}}>('get', 'vmi', 'kept');
        expect(now.status.evacuationNodeName).toBe(node);
      }),
    ]);
    expect((await cluster.running('kept')).metadata.uid).toBe(before.metadata.uid);
    // Who was asked to act does.
    await cluster.kubectl.mergePatch('vm/kept', {spec: {runStrategy: 'Halted'}});
    expect(await drain).toContain('drained');
  } finally {
    await cluster.kubectl.run('uncordon', node);
  }
});
