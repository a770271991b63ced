/** A worker that is frozen, or switched off, with a guest on it; fenced; and back again. */
import {afterAll, afterEach, beforeAll, expect, jest, test} from '@jest/globals';
import {Cluster, type Vmi} from '../../../e2e/cluster.ts';
import {faultsEnvironmentFile} from '../../../e2e/environment.ts';
import {eventually} from '../../../support/eventually.ts';
import {tinyVm} from '../../../support/guests.ts';
import {type Kubectl, run} from '../../../support/kubectl.ts';

jest.setTimeout(300_000);

/** The Lease runs out after 40 s, the node controller calls a node not ready after 50 s; then it is said within 10 s. */
const SAID_MS = 60_000;

interface Lease {
  readonly spec: {readonly holderIdentity: string};
}

let cluster: Cluster;
let system: Kubectl;
/** The worker that is lost, and the one that stays. The leader is on the latter: its own loss is another matter. */
let lost: string;
let stays: string;
beforeAll(async () => {
  cluster = await Cluster.open('loss', faultsEnvironmentFile);
  system = cluster.kubectl.in('wherry');
  const {spec} = await system.json<Lease>('get', 'lease', 'wherry-operator');
  const leader = spec.holderIdentity.split('_')[0] ?? '';
  stays = await system.run('get', 'pod', leader, '-o', 'jsonpath={.spec.nodeName}');
  const [other] = cluster.env.nodes.filter(node => node !== stays);
  if (other === undefined) throw new Error('the cluster has no second worker');
  lost = other;
});
/** A worker that is as it should be, whatever a test left. */
const repair = async (): Promise<void> => {
  await run('docker', ['unpause', lost]).catch(() => undefined);
  await run('docker', ['start', lost]);
  await system.run('taint', 'nodes', lost, 'node.kubernetes.io/out-of-service-').catch(() => undefined);
  await system.run('wait', `node/${lost}`, '--for=condition=Ready', '--timeout=120s');
  await system.run('rollout', 'status', 'daemonset/wherry-node-daemon', '--timeout=120s');
};
afterEach(async () => {
  if (lost !== undefined) await repair();
}, 300_000);
afterAll(() => cluster?.close());

/** A machine whose guest runs on the worker that is to be lost, and could run on the other. */
const hosted = async (name: string): Promise<Vmi> => {
  const preference = {matchExpressions: [{key: 'kubernetes.io/hostname', operator: 'In', values: [lost]}]};
  const nodeAffinity = {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, preference}]};
  await cluster.kubectl.apply(tinyVm(name, cluster.env.images.tiny, {spec: {affinity: {nodeAffinity}}}));
  const vmi = await cluster.running(name);
  expect(vmi.status?.nodeName).toBe(lost);
  return vmi;
};

const reasonOf = (vmi: Vmi): string | undefined => vmi.status?.conditions?.find(({type}) => type === 'Ready')?.reason;

/** It is said of the guest, and nothing runs elsewhere. */
const isSaid = async (name: string): Promise<void> => {
  const began = performance.now();
  await cluster.status(name, 'Unknown', SAID_MS);
  console.log(`${name}: Unknown after ${Math.round((performance.now() - began) / 100) / 10} s`);
  const vmi = await cluster.vmi(name);
  expect(vmi.status?.phase).toBe('Unknown');
  expect(reasonOf(vmi)).toBe('NodeUnresponsive');
  expect(await cluster.kubectl.run('describe', 'vm', name)).toContain(
    `kubectl taint nodes ${lost} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`,
  );
  expect(await cluster.pods(name)).toHaveLength(1);
  expect(await cluster.engines(stays, name)).toEqual([]);
};

/** An admin says that the machine is off, and the guest runs elsewhere. */
const fence = async (name: string, uid: string): Promise<void> => {
  const began = performance.now();
  await system.run('taint', 'nodes', lost, 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute');
  await eventually(
    async () => {
      const vmi = await cluster.vmi(name);
      expect(vmi.metadata.uid).not.toBe(uid);
      expect(vmi.status).toMatchObject({phase: 'Running', nodeName: stays});
    },
    {timeoutMs: 60_000},
  );
  console.log(`${name}: Running elsewhere ${Math.round((performance.now() - began) / 100) / 10} s after the fence`);
  expect((await cluster.pods(name)).map(({spec}) => spec.nodeName)).toEqual([stays]);
  expect(await cluster.engines(stays, name)).toHaveLength(1);
};

/** No second engine, and nothing of the run that was given up. */
const nothingIsLeft = async (name: string, podUid: string): Promise<void> => {
  await eventually(async () => expect(await cluster.engines(lost, name)).toEqual([]), {timeoutMs: 60_000});
  await eventually(
    async () => {
      const folders = await cluster.onNode(lost, 'ls', '/var/lib/kubelet/pods');
      expect(folders).not.toContain(podUid);
    },
    {timeoutMs: 120_000},
  );
  expect(await cluster.engines(stays, name)).toHaveLength(1);
  expect((await cluster.vmi(name)).status).toMatchObject({phase: 'Running', nodeName: stays});
  const schedulable = ['get', 'node', lost, '-o', 'jsonpath={.metadata.labels.kubevirt\\.io/schedulable}'];
  await eventually(async () => expect(await system.run(...schedulable)).toBe('true'));
};

const podUidOf = async (name: string): Promise<string> => (await cluster.pod(name)).metadata.uid;

/** Under cgroup v1 the kernel freezes no group while one of its tasks is in a wait that nothing interrupts, and Docker soon gives up. */
const freeze = (node: string): Promise<string> =>
  eventually(() => run('docker', ['pause', node]), {timeoutMs: 30_000, everyMs: 500});

test('a frozen worker: its guest is Unknown, runs elsewhere once fenced, and its engine is killed when it thaws', async () => {
  const {metadata} = await hosted('frozen');
  const podUid = await podUidOf('frozen');
  await freeze(lost);
  await isSaid('frozen');
  await fence('frozen', metadata.uid);
  await run('docker', ['unpause', lost]);
  await eventually(async () => expect(await cluster.engines(lost, 'frozen')).toEqual([]), {timeoutMs: 20_000});
  await repair();
  await nothingIsLeft('frozen', podUid);
});

test('a worker that is switched off: the same, and it comes back empty', async () => {
  const {metadata} = await hosted('off');
  const podUid = await podUidOf('off');
  await run('docker', ['kill', '--signal=KILL', lost]);
  await isSaid('off');
  await fence('off', metadata.uid);
  await repair();
  await nothingIsLeft('off', podUid);
});
