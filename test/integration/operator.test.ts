import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {core, keyOf} from '@wherry/kube';
import {instances, machines} from '@wherry/operator';
import {aNode, Stage} from './operator/stage.ts';
import {Theatre} from './operator/theatre.ts';
import {bind, claim} from './operator/trouble.ts';

jest.setTimeout(60_000);

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open();
  await theatre.client.create(core.nodes, aNode('n1'));
  await theatre.ready('n1');
  await theatre.startOperator('one');
}, 90_000);
afterAll(() => theatre.close(), 30_000);

let count = 0;
const stage = (): Promise<Stage> => Stage.open(theatre.client, `play-${(count += 1)}`);

test('a machine is started: instance, pod, hand-over, running', async () => {
  const on = await stage();
  await on.make('web');
  await on.status('web', 'Starting');
  const {vmi, pod} = await on.started('web');
  expect(vmi.status).toMatchObject({nodeName: 'n1', activePods: {[pod.metadata.uid ?? '']: 'n1'}});
  const vm = await on.status('web', 'Running');
  expect(vm.status).toMatchObject({ready: true, created: true, runStrategy: 'Always'});
  expect(vm.metadata.finalizers).toContain('kubevirt.io/virtualMachineControllerFinalize');
  await on.until('both objects tell of it', async () => {
    const said = await on.events('web');
    return said.filter(reason => reason === 'SuccessfulCreate').length === 2;
  });
});

test('the running guest costs no further write', async () => {
  const on = await stage();
  await on.make('quiet');
  await on.started('quiet');
  const versions = async () => [
    (await on.vm('quiet'))?.metadata.resourceVersion,
    (await on.vmi('quiet'))?.metadata.resourceVersion,
  ];
  await new Promise(resolve => setTimeout(resolve, 500));
  const before = await versions();
  await new Promise(resolve => setTimeout(resolve, 1000));
  expect(await versions()).toEqual(before);
});

test('a start takes at most nine writes, events and the cluster’s own apart', async () => {
  const on = await stage();
  const before = theatre.writes;
  await on.make('cheap');
  await on.started('cheap');
  // The daemon’s write is the ninth.
  expect(theatre.writes - before).toBeLessThanOrEqual(8);
});

test('halting a machine powers its guest off by deleting the pod, and leaves nothing', async () => {
  const on = await stage();
  await on.make('web');
  const {pod} = await on.started('web');
  await on.setRunStrategy('web', 'Halted');
  await on.status('web', 'Stopping');
  await on.endDeleted(pod);
  await on.status('web', 'Stopped');
  expect(await on.vmi('web')).toBeUndefined();
  expect(await on.pods()).toHaveLength(0);
  await on.setRunStrategy('web', 'Always');
  await on.started('web');
});

const outcomes: [
  strategy: 'Always' | 'RerunOnFailure' | 'Once',
  exitCode: number,
  runsAgain: boolean,
  left: string | undefined,
][] = [
  ['Always', 0, true, undefined],
  ['Always', 30, true, undefined],
  ['RerunOnFailure', 0, false, undefined],
  ['RerunOnFailure', 30, true, undefined],
  ['RerunOnFailure', 20, true, undefined],
  ['Once', 0, false, 'Succeeded'],
  ['Once', 31, false, 'Failed'],
];

test.each(outcomes)('under %s a guest that ends with %i: runs again is %s', async (strategy, code, again, left) => {
  const on = await stage();
  await on.make('web', {runStrategy: strategy});
  const {vmi, pod} = await on.started('web');
  await on.exit(pod, code);
  if (left !== undefined) {
    expect((await on.phase('web', left)).metadata.uid).toBe(vmi.metadata.uid);
    await on.status('web', 'Stopped');
    return;
  }
  // A pod that ended is deleted at once when its kubelet has nothing left to do.
  await on.until('the pod is deleted', async () => {
    const now = await on.client.get(core.pods, keyOf(pod));
    if (now !== undefined && now.metadata.deletionTimestamp !== undefined) await on.remove(pod);
    return now === undefined;
  });
  if (again) {
    await on.started('web', vmi.metadata.uid);
    return;
  }
  await on.until('the run is gone', async () => (await on.vmi('web')) === undefined);
  await on.status('web', 'Stopped');
  expect(await on.pods()).toHaveLength(0);
});

test('a guest that never comes up backs off, counted in the status', async () => {
  const on = await stage();
  await on.make('broken');
  await on.phase('broken', 'Scheduling');
  const pod = await on.pod('broken');
  await on.run(pod);
  await on.phase('broken', 'Scheduled');
  await on.exit(pod, 32, 'no such kernel');
  await on.until('the pod is gone', async () => {
    const now = await on.client.get(core.pods, keyOf(pod));
    if (now?.metadata.deletionTimestamp !== undefined) await on.remove(pod);
    return now === undefined;
  });
  await on.until('the run is gone', async () => (await on.vmi('broken')) === undefined);
  const vm = await on.status('broken', 'CrashLoopBackOff');
  expect(vm.status?.startFailure).toMatchObject({consecutiveFailCount: 1});
  const wait = Date.parse(vm.status?.startFailure?.retryAfterTimestamp ?? '') - Date.now();
  expect(wait).toBeGreaterThan(5000);
  expect(wait).toBeLessThan(17_000);
  await new Promise(resolve => setTimeout(resolve, 1000));
  expect(await on.vmi('broken')).toBeUndefined();
});

test('a force-deleted pod never leads to a second pod before the daemon has said that its engine is gone', async () => {
  const on = await stage();
  await on.make('web');
  const {vmi, pod} = await on.started('web');
  await on.remove(pod);
  await on.until('the instance says so', async () => {
    const ready = (await on.vmi('web'))?.status?.conditions?.find(({type}) => type === 'Ready');
    return ready?.reason === 'PodNotExists';
  });
  await new Promise(resolve => setTimeout(resolve, 1500));
  await on.pods();
  expect(on.podsSeen.size).toBe(1);
  expect((await on.vmi('web'))?.metadata.uid).toBe(vmi.metadata.uid);
  await on.engineIsGone('web');
  await on.started('web', vmi.metadata.uid);
  expect(on.podsSeen.size).toBe(2);
});

test('a machine whose pod was force-deleted is not gone before its engine is', async () => {
  const on = await stage();
  await on.make('web');
  const {pod} = await on.started('web');
  await on.client.delete(machines, {namespace: on.namespace, name: 'web'});
  await on.remove(pod);
  await new Promise(resolve => setTimeout(resolve, 1000));
  expect(await on.vmi('web')).toBeDefined();
  expect(await on.vm('web')).toBeDefined();
  await on.engineIsGone('web');
  await on.until(
    'both are gone',
    async () => (await on.vm('web')) === undefined && (await on.vmi('web')) === undefined,
  );
});

test('a lost node fences its guests only when its Node object is gone', async () => {
  const on = await stage();
  await on.client.create(core.nodes, aNode('lost'));
  await on.make('web');
  await on.phase('web', 'Scheduling');
  const pod = await on.pod('web');
  await on.run(pod, 'lost');
  const {metadata} = await on.guestRuns('web');
  await on.remove(pod);
  await new Promise(resolve => setTimeout(resolve, 1000));
  expect((await on.vmi('web'))?.metadata.uid).toBe(metadata.uid);
  await on.client.delete(core.nodes, {name: 'lost'});
  await on.started('web', metadata.uid);
});

test('a node that is declared out of service fences its guests', async () => {
  const on = await stage();
  await on.client.create(core.nodes, aNode('fenced'));
  await on.make('web');
  await on.phase('web', 'Scheduling');
  const pod = await on.pod('web');
  await on.run(pod, 'fenced');
  const {metadata} = await on.guestRuns('web');
  const taints = [{key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute'}];
  await on.client.mergePatch(core.nodes, {name: 'fenced'}, {spec: {taints}});
  // What the cluster's pod garbage collector does then.
  await on.remove(pod);
  await on.started('web', metadata.uid);
});

test('a machine waits for a node with a usable KVM, and starts when there is one', async () => {
  const on = await stage();
  await on.client.create(core.nodes, aNode('slow', {zone: 'slow', 'wherry.dev/kvm': 'absent'}));
  await theatre.ready('slow');
  await on.make('web', {spec: {nodeSelector: {zone: 'slow'}}});
  const vm = await on.status('web', 'ErrorUnschedulable');
  const said = vm.status?.conditions?.find(({type}) => type === 'Synchronized');
  expect(said).toMatchObject({
    status: 'False',
    reason: 'NoUsableKVM',
    message: expect.stringContaining('configuration.allowEmulation'),
  });
  expect(await on.pods()).toHaveLength(0);
  await on.client.mergePatch(core.nodes, {name: 'slow'}, {metadata: {labels: {'wherry.dev/kvm': 'usable'}}});
  await on.started('web');
});

test('the engine is chosen by machine and node, stands on pod and instance with its reason, and is refused by name', async () => {
  const on = await stage();
  const kernelBoot = {container: {image: 'linux', kernelPath: '/boot/vmlinuz'}};
  const domain = {memory: {guest: '128Mi'}, devices: {}, firmware: {kernelBoot}};
  const nodeSelector = {zone: 'native'};
  const native = {annotations: {'wherry.dev/engine': 'native'}};
  await on.client.create(core.nodes, aNode('fast', {zone: 'native', 'wherry.dev/native-matrix': '1'}));
  await theatre.ready('fast');

  await on.make('auto', {spec: {domain, nodeSelector}});
  const {pod, vmi} = await on.started('auto', undefined, 'fast');
  expect(pod.metadata.annotations).toMatchObject({'wherry.dev/engine': 'native'});
  expect(pod.spec?.nodeSelector).toMatchObject({'wherry.dev/native-matrix': '1'});
  expect(vmi.status?.engine).toMatchObject({name: 'native', reason: expect.stringContaining('it can run')});

  await on.make('disk', {spec: {nodeSelector}});
  const other = await on.started('disk', undefined, 'fast');
  expect(other.vmi.status?.engine).toMatchObject({name: 'qemu', reason: expect.stringContaining('kernelBoot alone')});

  await on.make('asked', {spec: {nodeSelector}, ...native});
  const refused = await on.until('the refusal', async () => {
    const now = await on.vmi('asked');
    return now?.status?.conditions?.find(({reason}) => reason === 'UnsupportedEngine');
  });
  expect(refused).toMatchObject({type: 'Synchronized', message: expect.stringContaining('no firmware')});
  expect((await on.pods()).filter(one => one.metadata.annotations?.['kubevirt.io/domain'] === 'asked')).toEqual([]);
});

test('a machine that waits for emulation starts when the configuration allows it, for which nothing restarts', async () => {
  const on = await stage();
  await on.client.create(core.nodes, aNode('bare', {zone: 'bare', 'wherry.dev/kvm': 'absent'}));
  await theatre.ready('bare');
  await on.make('web', {spec: {nodeSelector: {zone: 'bare'}}});
  await on.status('web', 'ErrorUnschedulable');
  theatre.configure({allowEmulation: true, imagePullPolicy: 'Always'});
  const pod = await on.pod('web');
  expect(pod.metadata.annotations).toMatchObject({'wherry.dev/accelerator': 'tcg'});
  expect(pod.spec?.containers[0]?.imagePullPolicy).toBe('Always');

  theatre.configure({allowEmulation: 'yes', imagePullPolicy: 'Never'});
  await on.until('the ConfigMap tells of it', async () => {
    const told = await on.client.list(core.events, {namespace: 'wherry'});
    return told.some(({reason, message, involvedObject}) => {
      const wrong = reason === 'ConfigurationRefused' && /allowEmulation must be true or false/.test(message ?? '');
      return wrong && involvedObject?.name === 'wherry-config' && involvedObject.uid !== undefined;
    });
  });
  await on.make('next', {spec: {nodeSelector: {zone: 'bare'}}});
  expect((await on.pod('next')).spec?.containers[0]?.imagePullPolicy).toBe('Always');
  theatre.configure({});
});

test('a pod that is deleted by hand before the hand-over is simply tried again', async () => {
  const on = await stage();
  await on.make('web');
  const {metadata} = await on.phase('web', 'Scheduling');
  await on.remove(await on.pod('web'));
  await on.until('the run has failed and is gone', async () => (await on.vmi('web'))?.metadata.uid !== metadata.uid);
  expect((await on.status('web', 'CrashLoopBackOff')).status?.startFailure?.lastFailedVMIUID).toBe(metadata.uid);
});

test('deleting a machine goes pod, instance, machine', async () => {
  const on = await stage();
  await on.make('web');
  const {pod} = await on.started('web');
  await on.client.delete(machines, {namespace: on.namespace, name: 'web'});
  await on.status('web', 'Terminating');
  await on.until(
    'the pod is being deleted',
    async () => (await on.client.get(core.pods, keyOf(pod)))?.metadata.deletionTimestamp !== undefined,
  );
  expect(await on.vmi('web')).toBeDefined();
  expect(await on.vm('web')).toBeDefined();
  await on.exit(pod, 20);
  await on.remove(pod);
  await on.until('all is gone', async () => (await on.vm('web')) === undefined);
  expect(await on.vmi('web')).toBeUndefined();
});

test('a stand-alone instance runs once and keeps its end', async () => {
  const on = await stage();
  const spec = {domain: {memory: {guest: '128Mi'}, devices: {}}, terminationGracePeriodSeconds: 1};
  await on.client.create(instances, {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {name: 'alone', namespace: on.namespace},
    spec,
  } as never);
  const vmi = await on.phase('alone', 'Scheduling');
  expect(vmi.metadata.finalizers).toContain('kubevirt.io/foregroundDeleteVirtualMachine');
  const pod = await on.pod('alone');
  await on.run(pod);
  await on.guestRuns('alone');
  await on.exit(pod, 0);
  expect((await on.phase('alone', 'Succeeded')).status?.reason).toBe('PoweredOff');
});

test('an instance of the machine’s name that was made by hand is left alone and named', async () => {
  const on = await stage();
  await on.client.create(instances, {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {name: 'taken', namespace: on.namespace},
    spec: {domain: {memory: {guest: '128Mi'}, devices: {}}},
  } as never);
  await on.make('taken');
  await on.until('the machine says so', async () =>
    (await on.vm('taken'))?.status?.conditions?.some(
      ({type, message}) => type === 'Failure' && message?.includes('does not belong') === true,
    ),
  );
  expect((await on.vmi('taken'))?.metadata.ownerReferences).toBeUndefined();
});

test('the capacity of a bound claim reaches the daemon with the instance', async () => {
  const on = await stage();
  await claim(on, 'data');
  await bind(on, 'data');
  await on.make('web', {spec: {volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'data'}}]}});
  const {vmi} = await on.started('web');
  expect(vmi.status?.volumeStatus?.[0]?.persistentVolumeClaimInfo?.capacity).toEqual({storage: '1Gi'});
});

test('the restricted Pod Security Standard admits the pod', async () => {
  const on = await stage();
  await on.client.mergePatch(
    core.namespaces,
    {name: on.namespace},
    {
      metadata: {labels: {'pod-security.kubernetes.io/enforce': 'restricted'}},
    },
  );
  await theatre.restrictedIsEnforced(on.namespace);
  await on.make('web', {
    spec: {
      volumes: [
        {name: 'root', containerDisk: {image: 'guests/debian:13'}},
        {name: 'seed', cloudInitNoCloud: {secretRef: {name: 'seed'}}},
        {name: 'scratch', emptyDisk: {capacity: '1Gi'}},
      ],
    },
  });
  await on.phase('web', 'Scheduling');
});

test('every condition that the operator wrote in these plays has a reason from the list', () => {
  expect(theatre.strayWords).toEqual([]);
});
