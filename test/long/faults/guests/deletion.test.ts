import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {nothingLeft, podLeftNode} from '../../../e2e/traces.ts';
import {pressDisk} from '../support/nodes.ts';
import {figure, type Run, Stage} from '../support/stage.ts';

jest.setTimeout(240_000);

/**
 * One machine for each way to lose a pod; the claims keep each on its node. The second node is drained: what else runs at
 * this time is on the first.
 */
const names = ['evicted', 'drained', 'deleted', 'forced'] as const;

let stage: Stage;
const runs = new Map<string, Run>();
beforeAll(async () => {
  stage = await Stage.open('deletion');
  for (const [index, name] of names.entries()) await stage.keeper(name, {node: stage.node(index % 2)});
  for (const name of names) runs.set(name, await stage.connect(name));
});
afterAll(async () => {
  if (stage === undefined) return;
  await stage.system.run('uncordon', stage.node(1));
  await pressDisk(stage.node(1), false);
  await stage.close();
});

const run = (name: (typeof names)[number]): Run => runs.get(name)!;

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
  expect(await stage.events('evicted')).toMatch(/EvictionByEvictionAPI/);
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

test('a node whose own disk is full loses its guests to the kubelet, which run again when there is room', async () => {
  const {node} = run('drained');
  const daemon = await stage.daemonOn(node);
  const condition = (status: string): Promise<string> =>
    stage.system.run('wait', `node/${node}`, `--for=condition=DiskPressure=${status}`, '--timeout=60s');
  const began = performance.now();
  await pressDisk(node, true);
  await condition('True');
  for (const name of ['drained', 'forced']) await stage.cluster.status(name, 'ErrorUnschedulable', 60_000);
  figure('full: its machines are said to wait', performance.now() - began);
  // A kubelet that finds it so at its start rejects what runs; one that finds out later evicts.
  expect(await stage.events('drained')).toMatch(/Warning\s+Evicted.*(DiskPressure|ephemeral-storage)/);
  expect((await stage.daemonOn(node)).metadata.uid).toBe(daemon.metadata.uid);
  const back = performance.now();
  await pressDisk(node, false);
  await condition('False');
  figure('full: the node takes pods again', performance.now() - back);
  await again('drained', 'there was room again', back);
  await again('forced', 'there was room again', back);
});

test('machines that are deleted leave nothing behind', async () => {
  await stage.cluster.kubectl.run('delete', 'vm', '--all', '--timeout=90s');
  for (const name of names) await nothingLeft(stage.cluster, run(name));
  expect(stage.engines.doubled).toEqual([]);
});
