import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {join} from 'node:path';
import {ConfigObject, parseConfig} from '@wherry/api';
import {parseAllDocuments} from 'yaml';
import {repository} from '../../scripts/core/paths.ts';
import {chart, ChartTarget, helmAlone} from '../support/chart.ts';
import {startControlPlane} from '../support/control-plane.ts';

let target: ChartTarget;

const kubectl = (...args: string[]): Promise<string> => target.kubectl(...args);
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
