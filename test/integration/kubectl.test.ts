import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {core} from '@wherry/kube';
import {eventually} from '../support/eventually.ts';
import type {Kubectl} from '../support/kubectl.ts';
import {aNode, aVm, Stage} from './operator/stage.ts';
import {Theatre} from './operator/theatre.ts';

jest.setTimeout(60_000);

let theatre: Theatre;
let on: Stage;
let kubectl: Kubectl;
beforeAll(async () => {
  theatre = await Theatre.open();
  await theatre.client.create(core.nodes, aNode('n1'));
  await theatre.ready('n1');
  await theatre.startOperator('one');
  on = await Stage.open(theatre.client, 'kubectl');
  kubectl = theatre.kubectl('kubectl');
  // What kubectl keeps of its first look at the server must have our kinds.
  await eventually(() => kubectl.run('get', 'vm,vmi'));
}, 90_000);
afterAll(() => theatre.close(), 30_000);

interface Vm {
  readonly metadata: {readonly generation: number; readonly resourceVersion: string; readonly managedFields?: unknown};
  readonly spec: {readonly template: {readonly spec: Record<string, unknown>}};
}

test('kubectl wait sees a machine become ready, by its condition and by its status', async () => {
  const waiting = [
    kubectl.run('wait', 'vm/web', '--for=create', '--timeout=20s'),
    kubectl
      .run('wait', 'vm/web', '--for=create', '--timeout=20s')
      .then(() => kubectl.run('wait', 'vm/web', '--for=condition=Ready', '--timeout=20s')),
    kubectl
      .run('wait', 'vmi/web', '--for=create', '--timeout=20s')
      .then(() => kubectl.run('wait', 'vmi/web', '--for=jsonpath={.status.phase}=Running', '--timeout=20s')),
  ];
  await on.make('web');
  await on.started('web');
  expect((await Promise.all(waiting)).join('')).toMatch(/condition met/);
  await kubectl.run('wait', 'vm/web', '--for=jsonpath={.status.printableStatus}=Running', '--timeout=10s');
});

test('kubectl get shows KubeVirt’s columns, and more of them when asked', async () => {
  const [head, row] = (await kubectl.run('get', 'vm')).split('\n');
  expect(head?.split(/\s{2,}/).map(word => word.trim())).toEqual(['NAME', 'AGE', 'STATUS', 'READY']);
  expect(row).toMatch(/^web +\d+s +Running +True/);
  const [instanceHead, instanceRow] = (await kubectl.run('get', 'vmi')).split('\n');
  expect(instanceHead?.trim().split(/\s{2,}/)).toEqual(['NAME', 'AGE', 'PHASE', 'IP', 'NODENAME', 'READY']);
  expect(instanceRow).toMatch(/^web +\d+s +Running +.*n1 +True/);
  expect((await kubectl.run('get', 'vmi', '-o', 'wide')).split('\n')[0]).toMatch(/READY +LIVE-MIGRATABLE +PAUSED/);
  expect(await kubectl.run('get', 'vms,vmis')).toContain('virtualmachineinstance.kubevirt.io/web');
});

test('the wide table says why a machine does not start', async () => {
  await on.make('lost', {spec: {volumes: [{name: 'd', persistentVolumeClaim: {claimName: 'never'}}]}});
  await on.status('lost', 'ErrorPvcNotFound');
  const table = await kubectl.run('get', 'vm', 'lost', '-o', 'wide');
  expect(table).toMatch(
    /ErrorPvcNotFound .*PersistentVolumeClaim never does not exist in namespace kubectl: create it/,
  );
});

test('kubectl explain describes every field on the way to one', async () => {
  const domain = await kubectl.run('explain', 'vm.spec.template.spec.domain');
  expect(domain).toMatch(/KIND: +VirtualMachine/);
  expect(domain).toMatch(/FIELD: domain <Object>\n+DESCRIPTION:\n +The virtual machine\./);
  expect(domain).toMatch(/memory\t<Object>/);
  // No field is left without a word about it.
  expect(domain).not.toContain('<no description>');
  const strategy = await kubectl.run('explain', 'vm.spec.runStrategy');
  expect(strategy).toMatch(/ENUM:/);
  expect(strategy).toContain('RerunOnFailure');
  expect(await kubectl.run('explain', 'vmi.status.phase')).toContain('WaitingForSync');
});

/** The exit code of kubectl diff is 1 where it finds a difference. */
const diff = (object: object): Promise<string> => kubectl.pipe(JSON.stringify(object), 'diff', '-f', '-');

test('kubectl diff of what was applied is silent, before and while it runs', async () => {
  const vm = aVm('kubectl', 'same', {
    memory: '1024Mi',
    spec: {
      domain: {memory: {guest: '1024Mi'}, cpu: {cores: 2}, resources: {requests: {cpu: '0.5'}}, devices: {}},
      volumes: [{name: 'root', containerDisk: {image: 'guests/debian:13'}}],
      terminationGracePeriodSeconds: 5,
    },
  });
  await kubectl.apply(vm);
  expect(await diff(vm)).toBe('');
  await on.started('same');
  expect(await diff(vm)).toBe('');
  // What the server stored can be applied again, as a backup is.
  const stored = await kubectl.json<Vm>('get', 'vm', 'same');
  await kubectl.apply(stored);
  expect((await kubectl.json<Vm>('get', 'vm', 'same')).metadata.generation).toBe(stored.metadata.generation);
});

const dry = (object: object): Promise<string> =>
  kubectl.pipe(JSON.stringify(object), 'apply', '--dry-run=server', '-f', '-');

test('a server-side dry run checks the rules and stores nothing', async () => {
  expect(await dry(aVm('kubectl', 'dry'))).toMatch(/dry created \(server dry run\)/);
  await expect(dry(aVm('kubectl', 'dry', {spec: {domain: {devices: {}}}}))).rejects.toThrow(
    /the memory of the guest must be given/,
  );
  await expect(kubectl.run('get', 'vm', 'dry')).rejects.toThrow(/not found/);
});

/** What one manager has to say of a machine that two of them share. */
const part = (disk: string): object =>
  aVm('kubectl', 'shared', {
    runStrategy: 'Halted',
    spec: {
      domain: {memory: {guest: '128Mi'}, devices: {disks: [{name: disk, disk: {bus: 'virtio'}}]}},
      volumes: [{name: disk, emptyDisk: {capacity: '1Mi'}}],
    },
  });

const applyAs = (manager: string, object: object): Promise<string> =>
  kubectl.pipe(JSON.stringify(object), 'apply', '--server-side', `--field-manager=${manager}`, '-f', '-');

/** Names of the disks and of the volumes. */
const sharedNames = async (): Promise<readonly (readonly string[])[]> => {
  const {spec} = (await kubectl.json<Vm>('get', 'vm', 'shared')).spec.template as unknown as {
    spec: {domain: {devices: {disks: {name: string}[]}}; volumes: {name: string}[]};
  };
  return [spec.domain.devices.disks, spec.volumes].map(list => list.map(({name}) => name));
};

test('two managers that apply share the lists of disks and volumes by name', async () => {
  await applyAs('first', part('one'));
  await applyAs('second', part('two'));
  const both = ['one', 'two'];
  expect(await sharedNames()).toEqual([both, both]);
  // What one manager leaves out goes, and the other's stays.
  await applyAs('second', aVm('kubectl', 'shared', {runStrategy: 'Halted'}));
  expect(await sharedNames()).toEqual([['one'], ['one']]);
  const conflict = applyAs('third', aVm('kubectl', 'shared', {runStrategy: 'Always'}));
  await expect(conflict).rejects.toThrow(/conflict.*\.spec\.runStrategy/s);
});

test.each([
  ['of 253 characters', `${'long-name.'.repeat(25)}end`],
  ['of 64 characters without a dot', 'x'.repeat(64)],
  ['whose label would end in a dash', `${'y'.repeat(52)}-${'z'.repeat(40)}`],
])('a machine with a name %s runs, and stops', async (_what, name) => {
  await on.make(name);
  const {pod, vmi} = await on.started(name);
  expect(vmi.metadata.name).toBe(name);
  expect(pod.metadata.name).toMatch(/^virt-launcher-[a-z0-9-]+$/);
  expect(pod.metadata.name?.length).toBeLessThanOrEqual(63);
  expect(pod.metadata.annotations?.['kubevirt.io/domain']).toBe(name);
  const label = pod.metadata.labels?.['vm.kubevirt.io/name'];
  expect(label?.length).toBeLessThanOrEqual(63);
  expect(await kubectl.run('get', 'vmi', '-l', `vm.kubevirt.io/name=${label}`, '-o', 'name')).toContain(name);
  expect(await kubectl.run('describe', 'vm', name)).toContain('SuccessfulCreate');
  expect(await kubectl.run('describe', 'vmi', name)).toContain('SuccessfulCreate');
  await on.setRunStrategy(name, 'Halted');
  await on.endDeleted(pod);
  await on.status(name, 'Stopped');
});
