import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../../support/eventually.ts';
import {tinyVm} from '../../support/guests.ts';
import type {Kubectl} from '../../support/kubectl.ts';
import {Cluster, type Pod} from '../cluster.ts';

jest.setTimeout(300_000);

interface Info {
  readonly bootId: string;
  readonly uptime: number;
}

let cluster: Cluster;
let system: Kubectl;
beforeAll(async () => {
  cluster = await Cluster.open('daemon');
  system = cluster.kubectl.in('wherry');
  await cluster.kubectl.apply(tinyVm('guest', cluster.env.images.tiny));
  await cluster.running('guest');
  await cluster.booted('guest', /login:/);
});
afterAll(() => cluster?.close());

const info = async (): Promise<Info> => {
  const pod = await cluster.pod('guest');
  return JSON.parse(await cluster.http(`http://${pod.status.podIP}/cgi-bin/info`)) as Info;
};

const daemonOf = async (node: string): Promise<Pod | undefined> => {
  const pods = await cluster.podsWith('app.kubernetes.io/component=node-daemon', system.namespace);
  return pods.find(pod => pod.spec.nodeName === node && pod.metadata.deletionTimestamp === undefined);
};

/** Waits until a daemon other than `old` is ready on the node. */
const replaced = (node: string, old: string): Promise<void> =>
  eventually(
    async () => {
      const pod = await daemonOf(node);
      if (pod === undefined || pod.metadata.uid === old) throw new Error('the old daemon is still there');
      await system.run('wait', `pod/${pod.metadata.name}`, '--for=condition=Ready', '--timeout=60s');
    },
    {timeoutMs: 90_000},
  );

/** The guest's own end of the world: what only a boot resets. */
const sameGuest = async (before: Info): Promise<void> => {
  const after = await info();
  expect(after.bootId).toBe(before.bootId);
  expect(after.uptime).toBeGreaterThan(before.uptime);
};

/** What only the guest's node-daemon writes is taken away, and must be there again: the new daemon has the guest in hand. */
const reportedAgain = async (): Promise<void> => {
  const before = (await cluster.vmi('guest')).status;
  const blank = JSON.stringify({status: {interfaces: null, engine: {version: ''}}});
  await cluster.kubectl.run('patch', 'vmi', 'guest', '--subresource=status', '--type=merge', '-p', blank);
  await eventually(
    async () => {
      const {status} = await cluster.vmi('guest');
      expect(status?.interfaces).toEqual(before?.interfaces);
      expect(status?.engine).toEqual(before?.engine);
    },
    {timeoutMs: 10_000},
  );
  expect(before?.interfaces?.[0]?.ipAddress).toBeDefined();
  expect(before?.engine?.name).toBe('qemu');
};

test('a killed node-daemon leaves the guest alone and adopts it again', async () => {
  const node = (await cluster.pod('guest')).spec.nodeName ?? '';
  const before = await info();
  const old = await daemonOf(node);
  await system.run('delete', 'pod', old?.metadata.name ?? '', '--grace-period=0', '--force');
  await replaced(node, old?.metadata.uid ?? '');
  await sameGuest(before);
  await reportedAgain();
});

test('an upgraded node-daemon adopts the guest, whose end is known within 10 s', async () => {
  const node = (await cluster.pod('guest')).spec.nodeName ?? '';
  const before = await info();
  const old = await daemonOf(node);
  await system.run(
    'patch',
    'daemonset',
    'wherry-node-daemon',
    '--type=merge',
    '-p',
    JSON.stringify({spec: {template: {metadata: {annotations: {'test/upgraded': String(Date.now())}}}}}),
  );
  await replaced(node, old?.metadata.uid ?? '');
  await sameGuest(before);
  await reportedAgain();

  const uid = (await cluster.vmi('guest')).metadata.uid;
  const engines = await cluster.engines(node, 'guest');
  expect(engines).toHaveLength(1);
  await cluster.onNode(node, 'kill', '-9', String(engines[0]));
  await eventually(
    async () => {
      const vmi = await cluster.vmi('guest').catch(() => undefined);
      if (vmi?.metadata.uid === uid && vmi.status?.phase === 'Running') throw new Error('still said to run');
    },
    {timeoutMs: 10_000},
  );
  await cluster.running('guest');
});
