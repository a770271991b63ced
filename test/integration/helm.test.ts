import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {join} from 'node:path';
import {ConfigObject, parseConfig} from '@wherry/api';
import {parseAllDocuments} from 'yaml';
import {repository} from '../../scripts/core/paths.ts';
import {chart, ChartTarget, helmAlone} from '../support/chart.ts';
import {mergePatch} from '../support/control-plane/admin.ts';
import {startControlPlane} from '../support/control-plane.ts';
import {anInstance} from '../support/crds.ts';

let target: ChartTarget;

const kubectl = (...args: string[]): Promise<string> => target.kubectl(...args);
const apply = (object: object): Promise<string> => target.apply(object);
const json = <T>(...args: string[]): Promise<T> => target.json<T>(...args);

beforeAll(async () => {
  target = new ChartTarget(await startControlPlane());
  await target.install();
}, 90_000);

afterAll(() => target?.control.stop());

test('the chart passes helm lint', async () => {
  await expect(helmAlone('lint', '--strict', chart)).resolves.toContain('0 chart(s) failed');
});

const template = (...args: string[]): Promise<string> => helmAlone('template', 'wherry', chart, ...args);

test.each([
  ['a key that it does not know', ['emulatoin.allow=true'], /additional properties 'emulatoin' not allowed/],
  [
    'one deep inside',
    ['operator.resources.request.cpu=1'],
    /at '\/operator\/resources': additional properties 'request'/,
  ],
  [
    'a word that is none of those',
    ['configuration.logLevel=loud'],
    /'\/configuration\/logLevel': value must be one of 'trace'/,
  ],
  ['a number out of bounds', ['configuration.memoryOvercommit=50'], /memoryOvercommit': minimum: got 50, want 100/],
  ['a text for a flag', ['configuration.allowEmulation=often'], /allowEmulation': got string, want boolean/],
  ['no image', ['images.launcher='], /'\/images\/launcher': minLength: got 0, want 1/],
  [
    'a setting of KubeVirt',
    ['configuration.cpuModel=Haswell'],
    /cpuModel': value must be 'left out: set .*domain\.cpu\.model/,
  ],
  [
    'a group of KubeVirt',
    ['configuration.developerConfiguration.useEmulation=true'],
    /left out: write .*allowEmulation/,
  ],
  ['what was a value once', ['emulation.allow=true'], /'\/emulation': value must be 'left out: write configuration/],
])('%s is refused by name', async (_what, values, message) => {
  await expect(template(...values.flatMap(value => ['--set', value]))).rejects.toThrow(message);
});

test('everything that may be set can be set', async () => {
  const values = join(repository, 'test/fixtures/helm/every-value.yaml');
  const objects = parseAllDocuments(await template('-f', values)).map(one => one.toJS() as Rendered | null);
  const config = objects.find(one => one?.kind === 'ConfigMap' && one.metadata.name === ConfigObject.name);
  expect(parseConfig(config?.data?.[ConfigObject.key] ?? '')).toEqual({
    launcherImage: 'example.com/launcher@sha256:1',
    imagePullPolicy: 'Always',
    logLevel: 'debug',
    allowEmulation: true,
    cpuAllocationRatio: 4,
    memoryOvercommit: 150,
    evictionStrategy: 'External',
    disableSerialConsoleLog: true,
  });
});

test('the configuration that it writes is one that every part reads', async () => {
  const {data} = await json<{data: Record<string, string>}>('get', 'configmap', '-n', 'wherry', 'wherry-config');
  expect(parseConfig(data['config.json']!)).toEqual(parseConfig('{"launcherImage": "wherry/launcher:0.1.0"}'));
});

const versions = (kinds: string): Promise<string> =>
  kubectl('get', kinds, '-n', 'wherry', '-o=jsonpath={.items[*].metadata.resourceVersion}');

test('an upgrade that changes nothing changes no object', async () => {
  const before = await versions('deployments,daemonsets,configmaps');
  expect(before).toMatch(/^\d+ \d+ \d+/);
  await target.upgrade();
  expect(await versions('deployments,daemonsets,configmaps')).toBe(before);
});

test('an upgrade that changes the configuration changes the ConfigMap alone: no pod restarts', async () => {
  const before = await versions('deployments,daemonsets');
  const changes = [
    'configuration.logLevel=debug',
    'configuration.allowEmulation=true',
    'images.launcher=wherry/next:1',
  ];
  await target.upgrade(changes.flatMap(one => ['--set', one]));
  const {data} = await json<{data: Record<string, string>}>('get', 'configmap', '-n', 'wherry', 'wherry-config');
  expect(parseConfig(data['config.json']!)).toMatchObject({
    logLevel: 'debug',
    allowEmulation: true,
    launcherImage: 'wherry/next:1',
  });
  expect(await versions('deployments,daemonsets')).toBe(before);
});

interface Rendered {
  kind: string;
  metadata: {name: string};
  data?: Record<string, string>;
}

interface Workload {
  metadata: {name: string};
  spec: {template: {spec: {containers: Record<string, unknown>[]}}};
}

test('every container has probes, requests and no more privilege than it needs', async () => {
  const {items} = await json<{items: Workload[]}>('get', 'deployments,daemonsets', '-n', 'wherry');
  expect(items.map(({metadata}) => metadata.name).toSorted()).toEqual(['wherry-node-daemon', 'wherry-operator']);
  for (const {metadata, spec} of items) {
    for (const container of spec.template.spec.containers) {
      expect(container).toMatchObject({
        startupProbe: expect.anything(),
        livenessProbe: expect.anything(),
        readinessProbe: expect.anything(),
        resources: {requests: {cpu: expect.anything(), memory: expect.anything()}},
        securityContext:
          metadata.name === 'wherry-operator'
            ? {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: ['ALL']}}
            : {readOnlyRootFilesystem: true},
      });
    }
  }
});

const may = (account: string, ...request: string[]): Promise<boolean> =>
  kubectl('auth', 'can-i', ...request, '-A', `--as=system:serviceaccount:wherry:${account}`).then(
    () => true,
    () => false,
  );

describe('rights', () => {
  test.each(['wherry-operator', 'wherry-node-daemon'])('%s reads no Secret', async account => {
    expect(await may(account, 'get', 'secrets')).toBe(false);
    expect(await may(account, 'list', 'secrets')).toBe(false);
  });

  test('the node-daemon makes no pods and runs nothing in them', async () => {
    expect(await may('wherry-node-daemon', 'create', 'pods')).toBe(false);
    expect(await may('wherry-node-daemon', 'create', 'pods/exec')).toBe(false);
    expect(await may('wherry-node-daemon', 'patch', 'virtualmachineinstances.kubevirt.io')).toBe(false);
  });

  test('both may do their work', async () => {
    expect(await may('wherry-operator', 'create', 'pods')).toBe(true);
    expect(await may('wherry-operator', 'patch', 'virtualmachines.kubevirt.io', '--subresource=status')).toBe(true);
    expect(
      await may('wherry-node-daemon', 'patch', 'virtualmachineinstances.kubevirt.io', '--subresource=status'),
    ).toBe(true);
    expect(await may('wherry-node-daemon', 'patch', 'nodes')).toBe(true);
  });
});

const guestStatus = '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/guest/status';

/** A patch by the daemon of a node: the API server's answer, as the text that a person would read. */
const patchFrom = async (node: string, path: string, patch: object): Promise<string> => {
  const extra = {'authentication.kubernetes.io/node-name': node};
  const daemon = {user: 'system:serviceaccount:wherry:wherry-node-daemon', extra};
  const {status, body} = await mergePatch(target.control.admin, path, patch, daemon);
  return status === 200 ? 'done' : `${status} ${(body as {message: string}).message}`;
};

describe('a node-daemon', () => {
  beforeAll(async () => {
    for (const name of ['one', 'two']) await apply({apiVersion: 'v1', kind: 'Node', metadata: {name}});
    await apply(anInstance('guest'));
    await kubectl(
      'patch',
      'vmi',
      'guest',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"nodeName":"one"}}',
    );
  }, 30_000);

  test('reports on the guests of its own node', async () => {
    expect(await patchFrom('one', guestStatus, {status: {phase: 'Running'}})).toBe('done');
  });

  test('does not report on the guests of another node', async () => {
    const answer = await patchFrom('two', guestStatus, {status: {phase: 'Failed'}});
    expect(answer).toMatch(/^403 .*only on guests of its own node/);
  });

  test('does not move a guest to another node', async () => {
    const answer = await patchFrom('one', guestStatus, {status: {nodeName: 'two'}});
    expect(answer).toMatch(/^403 .*does not move a guest to another node/);
  });

  test('labels its own node, and no other', async () => {
    const verdict = {metadata: {labels: {'wherry.dev/kvm': 'usable'}}};
    expect(await patchFrom('one', '/api/v1/nodes/one', verdict)).toBe('done');
    expect(await patchFrom('one', '/api/v1/nodes/two', verdict)).toMatch(/^403 .*only its own node/);
  });

  test('labels its node with its CPU, and takes such labels away', async () => {
    const names = ['cpu-model', 'cpu-feature', 'host-model-cpu'].map(kind => `${kind}.node.kubevirt.io/EPYC`);
    for (const value of ['true', null]) {
      const labels = Object.fromEntries(names.map(name => [name, value]));
      expect(await patchFrom('one', '/api/v1/nodes/one', {metadata: {labels}})).toBe('done');
      expect(await patchFrom('one', '/api/v1/nodes/two', {metadata: {labels}})).toMatch(/^403 .*only its own node/);
    }
  });

  test('writes no label that others rely on', async () => {
    const role = {metadata: {labels: {'node-role.kubernetes.io/control-plane': ''}}};
    const answer = await patchFrom('one', '/api/v1/nodes/one', role);
    expect(answer).toMatch(/^403 .*only the wherry\.dev\/ and kubevirt\.io\/ labels/);
  });

  test.each([
    ['annotation', {annotations: {'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true'}}],
    ['finalizer', {finalizers: ['example.com/forever']}],
  ])('writes no %s that others rely on', async (_what, metadata) => {
    const answer = await patchFrom('one', '/api/v1/nodes/one', {metadata});
    expect(answer).toMatch(/^403 .*only the wherry\.dev\/ and kubevirt\.io\/ labels/);
  });

  test('annotates its own node with what it found', async () => {
    const reason = {metadata: {annotations: {'wherry.dev/kvm-reason': 'all checks passed'}}};
    expect(await patchFrom('one', '/api/v1/nodes/one', reason)).toBe('done');
  });
});
