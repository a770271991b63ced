/** The chart's hooks with the rights that the chart gives them, on a real API server. */
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {join} from 'node:path';
import {Client, type KubeConfig, systemClock} from '@wherry/kube';
import {letGo, refuseWhileUsed, type UninstallOptions} from '@wherry/operator';
import {Registry} from 'prom-client';
import {run} from '../../scripts/core/command.ts';
import {repository} from '../../scripts/core/paths.ts';
import {ChartTarget, release} from '../support/chart.ts';
import {startControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, set} from '../support/crds.ts';

let target: ChartTarget;
const clients: Client[] = [];

beforeAll(async () => {
  target = new ChartTarget(await startControlPlane());
  await target.install();
}, 90_000);
afterAll(async () => {
  await Promise.all(clients.map(client => client.close()));
  await target?.control.stop();
});

const clientOf = async (account: string): Promise<Client> => {
  const {url, admin} = target.control;
  const token = await target.kubectl('create', 'token', account, '--namespace', release);
  const kubeConfig: KubeConfig = {
    url,
    tls: async () => ({ca: admin.ca}),
    headers: async () => ({authorization: `Bearer ${token.trim()}`}),
  };
  const client = new Client({kubeConfig, userAgent: 'test', registry: new Registry()});
  clients.push(client);
  return client;
};

const optionsOf = async (account: string, said: string[]): Promise<UninstallOptions> => ({
  client: await clientOf(account),
  clock: systemClock,
  namespace: release,
  release,
  say: line => said.push(line),
});

const finalizers = async (...object: string[]): Promise<string[] | undefined> =>
  (await target.json<{metadata: {finalizers?: string[]}}>('get', ...object)).metadata.finalizers;

const never = new AbortController().signal;

test('without machines an uninstall is not refused', async () => {
  const said: string[] = [];
  await refuseWhileUsed(await optionsOf('wherry-operator', said));
  expect(said).toEqual(['There are no virtual machines: nothing stands in the way.']);
});

test('with machines it is, by the rights of the operator', async () => {
  const kept = ['kubevirt.io/virtualMachineControllerFinalize', 'example.com/backup'];
  await target.apply(set(aMachine('kept'), 'metadata.finalizers', kept));
  await target.apply(set(anInstance('kept'), 'metadata.finalizers', ['kubevirt.io/foregroundDeleteVirtualMachine']));
  const refused = refuseWhileUsed(await optionsOf('wherry-operator', []));
  await expect(refused).rejects.toThrow('there are 1 VirtualMachine and 1 VirtualMachineInstance');
});

test('what stays after an uninstall can be deleted without Wherry', async () => {
  await target.applyHook('post-delete');
  await target.uninstall();
  const said: string[] = [];
  await letGo(await optionsOf('wherry-uninstall', said), never);
  expect(said[0]).toContain('1 VirtualMachine and 1 VirtualMachineInstance stay');
  expect(await finalizers('vm', 'kept')).toEqual(['example.com/backup']);
  expect(await finalizers('vmi', 'kept')).toBeUndefined();
  await target.kubectl('delete', 'vmi', 'kept', '--timeout=10s');
});

const mayIn = (namespace: string, ...request: string[]): Promise<boolean> =>
  target
    .kubectl('auth', 'can-i', ...request, '-n', namespace, `--as=system:serviceaccount:${release}:wherry-test`)
    .then(
      () => true,
      () => false,
    );
const may = (...request: string[]): Promise<boolean> => mayIn(release, ...request);

test('the account of the test may do what the test does in its namespace, and nothing else', async () => {
  await target.applyHook('test');
  expect(await may('create', 'virtualmachines.kubevirt.io')).toBe(true);
  expect(await may('delete', 'virtualmachines.kubevirt.io')).toBe(true);
  expect(await may('get', 'virtualmachineinstances.kubevirt.io')).toBe(true);
  expect(await may('list', 'pods')).toBe(true);
  expect(await may('get', 'pods', '--subresource=log')).toBe(true);
  expect(await may('get', 'secrets')).toBe(false);
  expect(await may('create', 'pods')).toBe(false);
  expect(await may('list', 'virtualmachines.kubevirt.io')).toBe(false);
  expect(await mayIn('default', 'create', 'virtualmachines.kubevirt.io')).toBe(false);
});

test('a hook that waits ends by itself, says why and fails', async () => {
  const env = {
    KUBECONFIG: target.control.kubeconfig,
    POD_NAMESPACE: 'default',
    POD_NAME: 'wherry-test',
    POD_UID: '0a1b2c3d-4e5f',
    TEST_IMAGE: 'guest:1',
    TEST_EXPECT: 'login:',
    TEST_TIMEOUT_SECONDS: '1',
  };
  const hook = run(process.execPath, [join(repository, 'operator/src/hook.ts'), 'test-guest'], {env});
  // No operator runs here.
  await expect(hook).rejects.toThrow(
    /ended with status 1\n.*made from guest:1\n[^]*not within 1 s: the machine does not run/,
  );
  expect(await target.kubectl('get', 'vm', '-n', 'default', '-o', 'name')).not.toContain('wherry-test');
});
