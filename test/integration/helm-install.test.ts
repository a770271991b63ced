/** What stands in the way of an installation, and what one that takes the place of another finds. */
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {cp, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {chart, ChartTarget, helmAlone, release} from '../support/chart.ts';
import {startControlPlane} from '../support/control-plane.ts';
import {aMachine, crdFolder} from '../support/crds.ts';

let target: ChartTarget;
beforeAll(async () => {
  target = new ChartTarget(await startControlPlane());
}, 60_000);
afterAll(() => target?.control.stop());

/** A definition as KubeVirt's operator makes it, as far as it matters here. */
const foreign = (plural: string, kind: string, metadata: object = {}): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `${plural}.kubevirt.io`,
    labels: {'app.kubernetes.io/component': 'kubevirt', 'app.kubernetes.io/managed-by': 'virt-operator'},
    ...metadata,
  },
  spec: {
    group: 'kubevirt.io',
    scope: 'Namespaced',
    names: {plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List`},
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}},
      },
    ],
  },
});

const withForeign = async (object: object, check: () => Promise<unknown>): Promise<void> => {
  await target.apply(object);
  try {
    await check();
  } finally {
    const {kind, metadata} = object as {kind: string; metadata: {name: string; namespace?: string}};
    await target.kubectl('delete', kind, metadata.name, ...(metadata.namespace ? ['-n', metadata.namespace] : []));
  }
};

test.each([
  ['virtualmachines', 'VirtualMachine'],
  ['virtualmachineinstances', 'VirtualMachineInstance'],
  ['kubevirts', 'KubeVirt'],
])('a cluster with KubeVirt’s %s is left alone, whoever brings the definitions', async (plural, kind) => {
  await withForeign(foreign(plural, kind), async () => {
    for (const args of [[], ['--set', 'crds.enabled=false']]) {
      const message = `this cluster has KubeVirt: the CustomResourceDefinition ${plural}.kubevirt.io is not of Wherry`;
      await expect(target.install(args)).rejects.toThrow(message);
    }
  });
  expect(await target.helm('list', '-A', '-q')).toBe('');
});

test('definitions that another release brought are another’s', async () => {
  const annotations = {'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': 'elsewhere'};
  await withForeign(foreign('virtualmachines', 'VirtualMachine', {labels: {}, annotations}), async () => {
    await expect(target.install()).rejects.toThrow('this cluster has KubeVirt');
  });
});

test('a cluster where KubeVirt’s operator runs is left alone', async () => {
  await target.kubectl('create', 'namespace', 'kubevirt');
  const labels = {app: 'virt-operator'};
  const spec = {containers: [{name: 'virt-operator', image: 'quay.io/kubevirt/virt-operator:v1'}]};
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: 'virt-operator', namespace: 'kubevirt'},
    spec: {selector: {matchLabels: labels}, template: {metadata: {labels}, spec}},
  };
  await withForeign(deployment, () => expect(target.install()).rejects.toThrow('the Deployment virt-operator runs'));
});

test('without the definitions, and not allowed to bring them, it says how to get them', async () => {
  await expect(target.install(['--set', 'crds.enabled=false'])).rejects.toThrow(
    /virtualmachines\.kubevirt\.io is not there, and crds\.enabled is false: .*kubectl apply --server-side -f crds\//,
  );
});

test('without a cluster everything renders, with and without definitions', async () => {
  expect(await helmAlone('template', release, chart)).toContain('name: virtualmachines.kubevirt.io');
  const without = await helmAlone('template', release, chart, '--set', 'crds.enabled=false');
  expect(without).not.toContain('name: virtualmachines.kubevirt.io');
});

test('definitions that kubectl applied are enough', async () => {
  await target.kubectl('apply', '--server-side', '-f', crdFolder);
  await target.install(['--set', 'crds.enabled=false']);
  await target.uninstall();
});

interface Definition {
  metadata: {resourceVersion: string};
  spec: {versions: {additionalPrinterColumns: {name: string}[]}[]};
}

const columns = async (): Promise<string[]> => {
  const found = await target.json<Definition>('get', 'crd', 'virtualmachines.kubevirt.io');
  return found.spec.versions[0]!.additionalPrinterColumns.map(({name}) => name);
};

test('a release takes over definitions that are there, and an upgrade brings those of its version', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-chart-'));
  const older = join(folder, 'helm');
  await cp(chart, older, {recursive: true});
  const file = join(older, 'templates/crds/virtualmachines.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('- name: Status\n', '- name: Condition\n'));
  try {
    await target.install(['--take-ownership', '--force-conflicts'], older);
    expect(await columns()).toContain('Condition');
    await target.apply(aMachine('kept'));
    await target.upgrade();
    expect(await columns()).toContain('Status');
    expect(await columns()).not.toContain('Condition');
    expect(await target.kubectl('get', 'vm', '-o', 'name')).toBe('virtualmachine.kubevirt.io/kept');
  } finally {
    await rm(folder, {recursive: true});
  }
});

const clusterWide = 'clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings';

test('an uninstall keeps machines and definitions, and nothing that stands in the way of others', async () => {
  const said = await target.uninstall();
  expect(said).toContain('virtualmachines.kubevirt.io');
  expect(await target.kubectl('get', 'vm', '-o', 'name')).toBe('virtualmachine.kubevirt.io/kept');
  expect(await target.kubectl('get', 'deployments,daemonsets,configmaps', '-n', release, '-o', 'name')).not.toContain(
    'wherry',
  );
  const left = await target.kubectl('get', clusterWide, '-l', 'app.kubernetes.io/part-of=wherry', '-o', 'name');
  expect(left).toBe('');
  // What a policy guarded can be written again.
  await target.kubectl('patch', 'vm', 'kept', '--type=merge', '-p', '{"metadata":{"labels":{"app":"web"}}}');
});

test('an installation after an uninstall takes over what was kept', async () => {
  const before = await target.json<{metadata: {uid: string}}>('get', 'vm', 'kept');
  await target.install();
  const after = await target.json<{metadata: {uid: string}}>('get', 'vm', 'kept');
  expect(after.metadata.uid).toBe(before.metadata.uid);
});
