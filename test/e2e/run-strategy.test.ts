import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import {tinyVm} from '../support/guests.ts';
import {Cluster, type Vmi} from './cluster.ts';

jest.setTimeout(600_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('strategy');
  const {tiny} = cluster.env.images;
  await cluster.kubectl.apply(tinyVm('asked', tiny, {runStrategy: 'Manual'}), tinyVm('usual', tiny));
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
  await cluster.evict('usual');
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
