import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import type {Condition} from '@wherry/api';
import {core, type Event} from '@wherry/kube';
import {aNode, Stage} from './operator/stage.ts';
import {Theatre} from './operator/theatre.ts';
import {bind, claim, complain, evict, place, unschedulable, waits} from './operator/trouble.ts';

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
const stage = (): Promise<Stage> => Stage.open(theatre.client, `missing-${(count += 1)}`);

const conditionOf = (object: {status?: {conditions?: readonly Condition[]}} | undefined, type: string) =>
  object?.status?.conditions?.find(one => one.type === type);

/** Events about the machine or its instance. */
const events = async (on: Stage, kind: string, reason: string): Promise<readonly Event[]> =>
  (await on.client.list(core.events, {namespace: on.namespace})).filter(
    event => event.involvedObject.kind === kind && event.reason === reason,
  );

interface Told {
  readonly type?: 'Synchronized' | 'PodScheduled';
  readonly printable: string;
  readonly reason: string;
  readonly message: RegExp;
}

/** The machine shows the word, machine and instance give the reason, and one event tells it. */
const told = async (on: Stage, {type = 'Synchronized', printable, reason, message}: Told): Promise<void> => {
  const vm = await on.until(`${reason} on the machine`, async () => {
    const now = await on.vm('web');
    return conditionOf(now, type)?.reason === reason && now?.status?.printableStatus === printable ? now : undefined;
  });
  const said = {status: 'False', reason, message: expect.stringMatching(message)};
  expect(conditionOf(vm, type)).toMatchObject(said);
  expect(conditionOf(vm, 'Ready')?.message).toMatch(message);
  expect(conditionOf(await on.vmi('web'), type)).toMatchObject(said);
  await on.until(`an event ${reason}`, async () => (await events(on, 'VirtualMachineInstance', reason)).length > 0);
  const [event, ...more] = await events(on, 'VirtualMachineInstance', reason);
  expect(more).toEqual([]);
  expect(event).toMatchObject({type: 'Warning', count: 1, message: expect.stringMatching(message)});
};

/** What was missing is there: the pod runs by itself, the guest comes up, and nothing is complained of any more. */
const startsByItself = async (on: Stage): Promise<void> => {
  await on.started('web');
  const vm = await on.status('web', 'Running');
  for (const object of [vm, await on.vmi('web')])
    for (const type of ['Synchronized', 'PodScheduled', 'Failure']) expect(conditionOf(object, type)).toBeUndefined();
  expect(conditionOf(vm, 'Ready')?.status).toBe('True');
};

test('a missing PersistentVolumeClaim is named, and the machine starts when it is made', async () => {
  const on = await stage();
  await on.make('web', {spec: {volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'data'}}]}});
  await told(on, {
    printable: 'ErrorPvcNotFound',
    reason: 'FailedPvcNotFound',
    message: /PersistentVolumeClaim data does not exist in namespace missing-\d+: create it/,
  });
  await claim(on, 'data');
  await bind(on, 'data');
  await startsByItself(on);
});

test.each([
  ['Secret', 'secret "seed" not found', 'SecretNotFound'],
  ['ConfigMap', 'configmap "seed" not found', 'ConfigMapNotFound'],
])(
  'a missing %s is named from the kubelet’s event, and the machine starts when it is made',
  async (kind, words, reason) => {
    const on = await stage();
    await on.make('web', {spec: {volumes: [{name: 'seed', cloudInitNoCloud: {secretRef: {name: 'seed'}}}]}});
    const pod = await on.pod('web');
    await complain(on, pod, {
      reason: 'FailedMount',
      message: `MountVolume.SetUp failed for volume "volume-0-user" : ${words}`,
    });
    await place(on, pod, 10);
    await told(on, {
      printable: 'Starting',
      reason,
      message: new RegExp(`${kind} seed does not exist in namespace missing-\\d+: create it`),
    });
    await startsByItself(on);
  },
);

test('an image that cannot be pulled is named, in the two words that the kubelet has for it, and told once', async () => {
  const on = await stage();
  await on.make('web', {spec: {volumes: [{name: 'root', containerDisk: {image: 'registry.example/none:1'}}]}});
  const pod = await on.pod('web');
  const message = /registry\.example\/none:1.* Check the name of the image/;
  await waits(on, pod, 'ErrImagePull', 'failed to pull and unpack image "registry.example/none:1": not found');
  await told(on, {printable: 'ErrImagePull', reason: 'ErrImagePull', message});
  await waits(on, pod, 'ImagePullBackOff', 'Back-off pulling image "registry.example/none:1"');
  await on.status('web', 'ImagePullBackOff');
  expect(conditionOf(await on.vm('web'), 'Synchronized')).toMatchObject({
    reason: 'ImagePullBackOff',
    message: expect.stringMatching(message),
  });
  await startsByItself(on);
  expect(await events(on, 'VirtualMachineInstance', 'ImagePullBackOff')).toEqual([]);
});

test('a claim that cannot be bound is told in its provisioner’s words, and not as a lack of nodes', async () => {
  const on = await stage();
  const data = await claim(on, 'data');
  await complain(on, data, {
    reason: 'ProvisioningFailed',
    message: 'storageclass.storage.k8s.io "fast" not found',
  });
  await on.make('web', {spec: {volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'data'}}]}});
  await unschedulable(
    on,
    await on.pod('web'),
    '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
  );
  await told(on, {
    printable: 'WaitingForVolumeBinding',
    reason: 'VolumeNotBound',
    message: /PersistentVolumeClaim data is not bound: storageclass.* "fast" not found: create that StorageClass/,
  });
  expect(conditionOf(await on.vm('web'), 'PodScheduled')).toBeUndefined();
  await bind(on, 'data');
  await startsByItself(on);
});

test('a claim that waits for its first consumer is waited for and no problem', async () => {
  const on = await stage();
  const data = await claim(on, 'data');
  await complain(on, data, {type: 'Normal', reason: 'WaitForFirstConsumer', message: 'waiting for first consumer'});
  await on.make('web', {spec: {volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'data'}}]}});
  await on.status('web', 'WaitingForVolumeBinding');
  // Long enough for the operator to have asked for the claim's events.
  await new Promise(resolve => setTimeout(resolve, 6500));
  const vm = await on.status('web', 'WaitingForVolumeBinding');
  expect(conditionOf(vm, 'Synchronized')).toBeUndefined();
  expect(conditionOf(vm, 'Ready')?.message).toBe('the guest is being started');
  await bind(on, 'data');
  await startsByItself(on);
});

test('that no node fits is told in the scheduler’s own words', async () => {
  const on = await stage();
  await on.make('web');
  const words = '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available.';
  await unschedulable(on, await on.pod('web'), words);
  await told(on, {
    type: 'PodScheduled',
    printable: 'ErrorUnschedulable',
    reason: 'Unschedulable',
    message: /^0\/1 nodes are available: 1 Insufficient memory\./,
  });
  await startsByItself(on);
});

test('a quota that refuses the pod is told once with what to do, and the pod is made when there is room', async () => {
  const on = await stage();
  await theatre.createQuota(on.namespace);
  await on.make('web');
  const message = /exceeded quota: none.*raise that ResourceQuota/;
  await told(on, {printable: 'Starting', reason: 'FailedCreate', message});
  await theatre.deleteQuota(on.namespace);
  await startsByItself(on);
});

test('a limit range that refuses the pod is told with what to do', async () => {
  const on = await stage();
  await theatre.createLimitRange(on.namespace, '64Mi');
  await on.make('web', {spec: {domain: {memory: {guest: '64Mi'}, devices: {}, resources: {limits: {memory: '1Gi'}}}}});
  await told(on, {
    printable: 'Starting',
    reason: 'FailedCreate',
    message: /maximum memory usage per Container is 64Mi.*or the LimitRange of the namespace/,
  });
});

/** The pod runs and is handed over; the launcher cannot start the guest. */
const failsToStart = async (on: Stage, exitCode: number, words: string): Promise<void> => {
  await on.make('web');
  await on.phase('web', 'Scheduling');
  const pod = await on.pod('web');
  await on.run(pod);
  await on.phase('web', 'Scheduled');
  await on.exit(pod, exitCode, words);
};

test('why a guest could not be started is in the machine’s Failure, and told in an event, when its run is gone', async () => {
  const on = await stage();
  await failsToStart(on, 32, 'volume root: the disk image disk.qcow2 has a backing file');
  const vm = await on.until('the run is gone and the machine remembers', async () => {
    const now = await on.vm('web');
    return (await on.vmi('web')) === undefined && conditionOf(now, 'Failure') !== undefined ? now : undefined;
  });
  const message = expect.stringContaining('volume root: the disk image disk.qcow2 has a backing file');
  expect(vm?.status?.printableStatus).toBe('CrashLoopBackOff');
  expect(conditionOf(vm, 'Failure')).toMatchObject({status: 'True', reason: 'StartFailed', message});
  const told = await on.until('the event', async () => {
    const all = await events(on, 'VirtualMachine', 'StartFailed');
    return all.length === 0 ? undefined : all;
  });
  expect(told).toMatchObject([{type: 'Warning', message}]);
});

test('a guest that is evicted for a full disk says so and what to do, and runs again', async () => {
  const on = await stage();
  await on.make('web');
  const {vmi, pod} = await on.started('web');
  await evict(on, pod, 'Usage of EmptyDir volume "wherry-private" exceeds the limit "1Gi".', 20);
  await on.until('the event', async () => {
    const [event] = await events(on, 'VirtualMachine', 'Evicted');
    return event?.message?.includes('keep data on a PersistentVolumeClaim') === true;
  });
  await on.remove(pod);
  await on.started('web', vmi.metadata.uid);
});

test('every condition that the operator wrote in these plays has a reason from the list', () => {
  expect(theatre.strayWords).toEqual([]);
});
