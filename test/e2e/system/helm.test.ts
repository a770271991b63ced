/** The life of a release around a guest that must not notice any of it. */
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {repository as checkout} from '../../../scripts/core/paths.ts';
import {run} from '../../../scripts/core/command.ts';
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
let before: Info;
let podBefore: Pod;

beforeAll(async () => {
  cluster = await Cluster.open('helm');
  system = cluster.kubectl.in('wherry');
  await cluster.kubectl.apply(tinyVm('guest', cluster.env.images.tiny), tinyVm('orphan', cluster.env.images.tiny));
  await cluster.running('guest');
  await cluster.running('orphan');
  await cluster.booted('guest', /login:/);
  podBefore = await cluster.pod('guest');
  before = await info();
});
// Whatever happened here, the other tests find the release as the set-up made it.
afterAll(async () => {
  const {helmArguments} = cluster.env;
  // A release that a failed test left half uninstalled is put back first.
  await helm(...helmArguments).catch(() =>
    helm('rollback', 'wherry', '-n', 'wherry').then(() => helm(...helmArguments)),
  );
  await cluster.close();
}, 200_000);

/** Runs helm and returns all that it wrote. */
const helm = async (...args: readonly string[]): Promise<string> => {
  const lines: string[] = [];
  const env = {KUBECONFIG: cluster.env.kubeconfig};
  await run(cluster.env.helm, args, {cwd: checkout, env, onLine: line => lines.push(line)});
  return lines.join('\n');
};

/** Upgrades the release as it is, but for these values. */
const upgrade = (...values: readonly string[]): Promise<string> =>
  helm(
    'upgrade',
    'wherry',
    './helm',
    '-n',
    'wherry',
    '--reuse-values',
    '--wait',
    ...values.flatMap(one => ['--set', one]),
  );

const info = async (): Promise<Info> =>
  JSON.parse(await cluster.http(`http://${podBefore.status.podIP}/cgi-bin/info`)) as Info;

/** The same boot in the same pod. */
const undisturbed = async (): Promise<void> => {
  const now = await info();
  expect(now.bootId).toBe(before.bootId);
  expect(now.uptime).toBeGreaterThan(before.uptime);
  expect((await cluster.pod('guest')).metadata.uid).toBe(podBefore.metadata.uid);
};

interface Part {
  readonly metadata: {readonly name: string; readonly uid: string; readonly deletionTimestamp?: string};
  readonly spec: {readonly containers: readonly {readonly image: string}[]};
}

const parts = async (): Promise<readonly Part[]> => {
  const list = await system.json<{items: Part[]}>(
    'get',
    'pods',
    '-l',
    'app.kubernetes.io/component in (operator,node-daemon)',
  );
  return list.items.filter(({metadata}) => metadata.deletionTimestamp === undefined);
};

test('helm test boots a small guest, reads its console and leaves nothing', async () => {
  const said = await helm('test', 'wherry', '-n', 'wherry');
  expect(said).toMatch(/TEST SUITE: +wherry-test\n[^]*Phase: +Succeeded/);
  expect(said).not.toMatch(/Phase: +Failed/);
  // Helm writes a log as one line.
  expect(said).toMatch(/it has booted: its console shows login:\\nthe machine is removed/);
  expect(await system.run('get', 'vm,sa,role,rolebinding,pod', '-o', 'name')).not.toContain('wherry-test');
});

const reloads = async ({metadata}: Part): Promise<number> =>
  (await system.run('logs', metadata.name)).split('configuration reloaded').length - 1;

test('a changed configuration reaches every part, and restarts none', async () => {
  const old = await parts();
  const seen = await Promise.all(old.map(reloads));
  await upgrade('configuration.logLevel=debug');
  const now = await parts();
  expect(now.map(({metadata}) => metadata.uid).toSorted()).toEqual(old.map(({metadata}) => metadata.uid).toSorted());
  // The kubelet looks at the mounts of a pod every minute, or when the pod changes.
  for (const {metadata} of old)
    await system.run('annotate', 'pod', metadata.name, `test/touched=${Date.now()}`, '--overwrite');
  await eventually(async () => expect(await Promise.all(old.map(reloads))).toEqual(seen.map(count => count + 1)), {
    timeoutMs: 90_000,
  });
  await undisturbed();
});

test('an upgrade of operator and node-daemon leaves the guest alone', async () => {
  const next = new Map<string, string>();
  for (const [, value = '', image = '', repository = ''] of cluster.env.helmArguments.flatMap(argument => [
    ...argument.matchAll(/^(images\.(?:operator|nodeDaemon))=((.*):.*)$/g),
  ])) {
    next.set(value, `${repository}:next`);
    const tag = [
      'ctr',
      '-n',
      'k8s.io',
      'images',
      'tag',
      '--force',
      `docker.io/${image}`,
      `docker.io/${repository}:next`,
    ];
    for (const node of cluster.env.nodes) await cluster.onNode(node, ...tag);
  }
  expect(next.size).toBe(2);
  await upgrade(...[...next].map(([value, image]) => `${value}=${image}`));
  const now = await parts();
  expect(now.length).toBeGreaterThanOrEqual(3);
  for (const {spec} of now) expect(spec.containers[0]?.image).toMatch(/:next$/);
  await undisturbed();
  expect((await cluster.running('guest')).status?.phase).toBe('Running');
});

test('told to refuse, helm uninstall says which machines there are and removes nothing', async () => {
  await upgrade('uninstall.virtualMachines=Refuse');
  const refused = await helm('uninstall', 'wherry', '-n', 'wherry').catch((error: Error) => error.message);
  await helm('rollback', 'wherry', '-n', 'wherry');
  expect(refused).toMatch(/Wherry is not uninstalled: there are \d+ VirtualMachines and \d+ VirtualMachineInstances/);
  expect(refused).toContain(`VirtualMachine ${cluster.kubectl.namespace}/guest: Running`);
  expect(refused).toContain('helm rollback wherry -n wherry');
  expect((await parts()).length).toBeGreaterThanOrEqual(3);
  await undisturbed();
});

test('otherwise Wherry goes: guests run on, and machines can be deleted without it', async () => {
  await upgrade('uninstall.virtualMachines=Keep');
  const said = await helm('uninstall', 'wherry', '-n', 'wherry');
  expect(said).toMatch(/Wherry is uninstalled\. .* stay, and guests that run go on running/);
  await eventually(async () => expect(await parts()).toEqual([]));
  await undisturbed();
  expect((await cluster.vm('guest')).status?.printableStatus).toBe('Running');
  await cluster.kubectl.run('delete', 'vm', 'orphan', '--timeout=20s');
  await cluster.podGone('orphan');
});

test('installed again it takes the guest over as it runs', async () => {
  await helm(...cluster.env.helmArguments);
  await eventually(async () => {
    const {metadata} = await cluster.kubectl.json<{metadata: {finalizers?: string[]}}>('get', 'vmi', 'guest');
    expect(metadata.finalizers).toContain('kubevirt.io/foregroundDeleteVirtualMachine');
  });
  await undisturbed();
  await cluster.kubectl.run('delete', 'vm', 'guest', '--timeout=60s');
  await cluster.podGone('guest');
});
