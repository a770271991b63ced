import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {nothingLeft, podLeftNode} from '../../e2e/traces.ts';
import {figure, type Run, Stage} from './support/stage.ts';

jest.setTimeout(240_000);

/** One machine for each way to lose a pod; the claims keep each on its node. */
const names = ['evicted', 'drained', 'deleted', 'forced'] as const;

let stage: Stage;
const runs = new Map<string, Run>();
beforeAll(async () => {
  stage = await Stage.open('deletion');
  for (const [index, name] of names.entries()) await stage.keeper(name, {node: stage.node(index % 2)});
  for (const name of names) runs.set(name, await stage.connect(name));
});
afterAll(async () => {
  await stage?.system.run('uncordon', stage.node(1));
  await stage?.close();
});

const run = (name: (typeof names)[number]): Run => runs.get(name)!;

/** What a machine said of the end of its last run. */
const events = (name: string): Promise<string> =>
  stage.cluster.kubectl.run('get', 'events', '--field-selector', `involvedObject.name=${name},type=Warning`);

const again = async (name: (typeof names)[number], what: string, began: number): Promise<void> => {
  const before = run(name);
  runs.set(name, await stage.runsAgain(before, what, began, 120_000));
  await podLeftNode(stage.cluster, before.node, before.pod.metadata.uid);
};

test('a machine whose pod is evicted by the API shuts down in order and runs again', async () => {
  const {namespace} = stage.cluster.kubectl;
  const {name} = run('evicted').pod.metadata;
  const began = performance.now();
  await stage.cluster.kubectl.post(`/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: {name, namespace},
  });
  await again('evicted', 'its eviction', began);
  expect(await events('evicted')).toMatch(/EvictionByEvictionAPI/);
});

test('machines whose pods are deleted, in order and by force, run again', async () => {
  const began = performance.now();
  const {kubectl} = stage.cluster;
  await kubectl.run('delete', 'pod', run('deleted').pod.metadata.name, '--wait=false');
  await kubectl.run('delete', 'pod', run('forced').pod.metadata.name, '--grace-period=0', '--force');
  await Promise.all([
    again('deleted', 'the deletion of its pod', began),
    again('forced', 'the force-deletion of its pod', began),
  ]);
});

test('a drained node is left in order, and its machines wait for it', async () => {
  const {node} = run('drained');
  const began = performance.now();
  const selector = ['--pod-selector', 'kubevirt.io=virt-launcher', '--delete-emptydir-data'];
  await stage.system.run('drain', node, ...selector, '--timeout=90s');
  figure('the drain of a node with two guests', performance.now() - began);
  // Its claim ties it to that node.
  await stage.cluster.status('drained', 'ErrorUnschedulable', 30_000);
  expect(stage.engines.count(stage.machine('drained'))).toBe(0);
  const back = performance.now();
  await stage.system.run('uncordon', node);
  await again('drained', 'its node took pods again', back);
  await again('forced', 'its node took pods again', back);
});

test('machines that are deleted leave nothing behind', async () => {
  await stage.cluster.kubectl.run('delete', 'vm', '--all', '--timeout=90s');
  for (const name of names) await nothingLeft(stage.cluster, run(name));
  expect(stage.engines.doubled).toEqual([]);
});
