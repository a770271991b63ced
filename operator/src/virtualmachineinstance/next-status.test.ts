import {conditionProblem, InstanceCondition, type InstanceStatus} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {findCondition} from '../conditions.ts';
import {statusPatch} from '../status-patch.ts';
import {
  aClaim,
  anInstance,
  aPod,
  claimDisk,
  exited,
  isRunning,
  running,
  scheduled,
  waitsFor,
  withoutKvm,
} from '../testing/fixtures.ts';
import {anInstanceWorld, now, timeStamped} from '../testing/worlds.ts';
import {type Failed, nextStatus} from './next-status.ts';
import {nextStep} from './phase.ts';
import type {World} from './world.ts';

const after = (overrides: Partial<World>, failed?: Failed): InstanceStatus => {
  const world = anInstanceWorld(overrides);
  const status = nextStatus(world, nextStep(world), failed, now);
  const problems = (status.conditions ?? []).map(one => conditionProblem('VirtualMachineInstance', one));
  expect(problems.filter(problem => problem !== undefined)).toEqual([]);
  return status;
};
const conditionOf = (status: InstanceStatus, type: string) => findCondition(status.conditions, type);

test('a new instance is Scheduling with its pod, and not ready yet', () => {
  const status = after({});
  expect(status.phase).toBe('Scheduling');
  expect(status.phaseTransitionTimestamps).toEqual([{phase: 'Scheduling', phaseTransitionTimestamp: timeStamped}]);
  expect(conditionOf(status, 'Ready')).toMatchObject({status: 'False', reason: 'GuestNotRunning'});
  expect(conditionOf(status, InstanceCondition.SoftwareEmulation)).toBeUndefined();
});

test('the hand-over names node, pod, image and class of service', () => {
  const status = after({
    vmi: anInstance({status: {phase: 'Scheduling'}}),
    pod: aPod({state: isRunning, status: {qosClass: 'Burstable'}}),
  });
  expect(status).toMatchObject({
    phase: 'Scheduled',
    nodeName: 'n1',
    activePods: {'pod-uid': 'n1'},
    launcherContainerImageVersion: 'wherry/launcher:test',
    qosClass: 'Burstable',
    runtimeUser: 107,
  });
});

const handedOver = (annotations: Record<string, string>) =>
  after({
    vmi: anInstance({status: {phase: 'Scheduling'}}),
    pod: aPod({state: isRunning, metadata: {annotations}}),
  });

test('the hand-over says which engine the pod was made for, and why', () => {
  const chosen = {'wherry.dev/engine': 'native', 'wherry.dev/engine-reason': 'it can'};
  expect(handedOver(chosen).engine).toEqual({name: 'native', version: '', reason: 'it can'});
  // An operator of before left the user's own word on the pod, and made it for QEMU.
  expect(handedOver({'wherry.dev/engine': 'auto'}).engine).toBeUndefined();
  expect(handedOver({'wherry.dev/engine': 'native'}).engine).toBeUndefined();
});

test('a guest under emulation says so from the start', () => {
  expect(conditionOf(after({nodes: [withoutKvm]}), InstanceCondition.SoftwareEmulation)?.status).toBe('True');
});

test('an emulated guest is told what it starts without', () => {
  const domain = {
    memory: {guest: '64Mi'},
    devices: {},
    features: {hyperv: {relaxed: {}}},
    cpu: {model: 'Haswell-noTSX'},
  };
  const status = after({vmi: anInstance({spec: {domain}}), nodes: [withoutKvm]});
  expect(conditionOf(status, InstanceCondition.SoftwareEmulation)?.message).toMatch(
    /in software; it starts without invpcid, .* of the CPU Haswell-noTSX; features of Hyper-V$/,
  );
});

test('a pod that the API refused leaves the instance Pending with the reason', () => {
  const status = after({}, {reason: 'FailedCreate', message: 'exceeded quota'});
  expect(status.phase).toBe('Pending');
  expect(conditionOf(status, 'Synchronized')).toMatchObject({
    status: 'False',
    reason: 'FailedCreate',
    message: 'exceeded quota',
  });
});

test('the scheduler’s complaint is mirrored for as long as it stands', () => {
  const complaint = {type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node'};
  const status = after({
    vmi: anInstance({status: {phase: 'Scheduling'}}),
    pod: aPod({status: {conditions: [complaint]}}),
  });
  expect(conditionOf(status, 'PodScheduled')).toMatchObject({
    status: 'False',
    reason: 'Unschedulable',
    message: 'no node',
  });
  expect(conditionOf(after({vmi: anInstance({status}), pod: aPod()}), 'PodScheduled')).toBeUndefined();
});

test('an image that cannot be pulled is said in the kubelet’s words, and cleared by the hand-over', () => {
  const vmi = anInstance({status: {phase: 'Scheduling'}});
  const status = after({vmi, pod: aPod({state: waitsFor('ErrImagePull', 'not found')})});
  expect(conditionOf(status, 'Synchronized')).toMatchObject({
    reason: 'ErrImagePull',
    message: expect.stringMatching(/^not found\. Check the name of the image/),
  });
  const handedOver = after({vmi: anInstance({status}), pod: aPod({state: isRunning})});
  expect(conditionOf(handedOver, 'Synchronized')).toBeUndefined();
});

test.each([
  ['ImagePullBackOff', 'ImagePullBackOff'],
  ['ErrImageNeverPull', 'ErrImageNeverPull'],
  ['InvalidImageName', 'InvalidImageName'],
  ['CreateContainerError', 'ContainerNotStarted'],
])('a container that waits for %s is said with reason %s', (word, reason) => {
  const status = after({vmi: anInstance({status: {phase: 'Scheduling'}}), pod: aPod({state: waitsFor(word, 'why')})});
  expect(conditionOf(status, 'Synchronized')).toMatchObject({reason, message: expect.stringContaining('why')});
});

const unbound = new Map([['data', aClaim('data', {status: {phase: 'Pending'}})]]);
const waitsForClaim = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
};
const onClaim = (overrides: Partial<World> = {}): InstanceStatus =>
  after({
    vmi: anInstance({spec: claimDisk('data'), status: {phase: 'Scheduling'}}),
    pod: aPod({status: {conditions: [waitsForClaim]}}),
    claims: unbound,
    ...overrides,
  });

test('that no node is looked for before a claim is bound is no complaint about nodes', () => {
  expect(conditionOf(onClaim(), 'PodScheduled')).toBeUndefined();
  expect(conditionOf(onClaim({claims: new Map([['data', aClaim('data')]])}), 'PodScheduled')).toMatchObject({
    reason: 'Unschedulable',
  });
});

test('a claim that cannot be bound is told in its provisioner’s words, and makes the guest not ready in them', () => {
  const about = {kind: 'PersistentVolumeClaim', namespace: 'default', name: 'data', uid: 'u'} as const;
  const status = onClaim({complaints: [{about, reason: 'ProvisioningFailed', message: 'the pool is full'}]});
  const message = expect.stringContaining('PersistentVolumeClaim data is not bound: the pool is full');
  expect(conditionOf(status, 'Synchronized')).toMatchObject({status: 'False', reason: 'VolumeNotBound', message});
  expect(conditionOf(status, 'Ready')).toMatchObject({reason: 'GuestNotRunning', message});
});

test('a guest that the daemon cannot start is not ready in the daemon’s words', () => {
  const said = {type: 'Synchronized', status: 'False' as const, reason: 'StartFailed', message: 'no room'};
  const pod = aPod({state: isRunning});
  const status = after({vmi: anInstance({status: {...scheduled, conditions: [said]}}), pod});
  expect(conditionOf(status, 'Ready')).toMatchObject({reason: 'GuestNotRunning', message: 'no room'});
  expect(conditionOf(status, 'Synchronized')).toMatchObject(said);
});

test('the end of a run carries its reason and what a person can read about it', () => {
  const status = after({
    vmi: anInstance({status: running}),
    pod: aPod({state: exited(30, 'VFS: unable to mount root')}),
  });
  expect(status).toMatchObject({phase: 'Failed', reason: 'GuestPanicked'});
  expect(conditionOf(status, 'Ready')?.message).toBe('the guest panicked: VFS: unable to mount root');
});

test('a claim’s capacity reaches the daemon through volumeStatus', () => {
  const status = after({vmi: anInstance({spec: claimDisk('data')}), claims: new Map([['data', aClaim('data')]])});
  expect(status.volumeStatus).toEqual([
    {
      name: 'data',
      target: '',
      persistentVolumeClaimInfo: {
        claimName: 'data',
        accessModes: ['ReadWriteOnce'],
        volumeMode: 'Filesystem',
        capacity: {storage: '1Gi'},
        requests: {storage: '1Gi'},
      },
    },
  ]);
});

test('what the daemon wrote about a volume stays', () => {
  const claims = new Map([['data', aClaim('data', {status: {phase: 'Bound', capacity: {storage: '2Gi'}}})]]);
  const status = {...running, volumeStatus: [{name: 'data', target: 'vda', size: 1_073_741_824}]};
  const next = after({vmi: anInstance({spec: claimDisk('data'), status}), pod: aPod({state: isRunning}), claims});
  expect(next.volumeStatus).toMatchObject([
    {name: 'data', target: 'vda', size: 1_073_741_824, persistentVolumeClaimInfo: {capacity: {storage: '2Gi'}}},
  ]);
});

const ready = {type: 'Ready', status: 'True' as const, reason: 'GuestRunning', lastTransitionTime: timeStamped};
const podReady = {conditions: [{type: 'Ready', status: 'True'}]};
const readyRun: InstanceStatus = {...running, conditions: [ready]};

test('once the daemon says that the guest runs and is ready, the operator writes nothing more', () => {
  const vmi = anInstance({status: readyRun});
  const next = after({vmi, pod: aPod({state: isRunning, status: podReady})});
  expect(statusPatch(vmi.status, next)).toBeUndefined();
});

const readyTable: [sentence: string, world: Partial<World>, status: string, reason: string | undefined][] = [
  [
    'a running guest in a ready pod is ready',
    {vmi: anInstance({status: running}), pod: aPod({state: isRunning, status: podReady})},
    'True',
    'GuestRunning',
  ],
  [
    'a handed-over guest is not',
    {vmi: anInstance({status: scheduled}), pod: aPod({state: isRunning, status: podReady})},
    'False',
    'GuestNotRunning',
  ],
  [
    'a guest whose pod is being deleted is not',
    {vmi: anInstance({status: readyRun}), pod: aPod({state: isRunning, metadata: {deletionTimestamp: timeStamped}})},
    'False',
    'PodTerminating',
  ],
  ['a guest whose pod vanished is not', {vmi: anInstance({status: readyRun})}, 'False', 'PodNotExists'],
  [
    'a guest whose pod says nothing about it is not',
    {vmi: anInstance({status: running}), pod: aPod({state: isRunning})},
    'False',
    'PodConditionMissing',
  ],
  [
    'a paused guest in a ready pod is not',
    {
      vmi: anInstance({
        status: {...running, conditions: [ready, {...ready, type: 'Paused', reason: 'PausedByUser'}]},
      }),
      pod: aPod({state: isRunning, status: podReady}),
    },
    'False',
    'GuestPaused',
  ],
  [
    'a guest whose engine does not answer in a ready pod is not',
    {
      vmi: anInstance({
        status: {
          ...running,
          conditions: [
            ready,
            {type: 'wherry.dev/EngineActive', status: 'Unknown', reason: 'EngineUnresponsive', message: 'm'},
          ],
        },
      }),
      pod: aPod({state: isRunning, status: podReady}),
    },
    'False',
    'EngineUnresponsive',
  ],
  [
    'a guest whose pod is not ready is not, for the pod’s reason',
    {
      vmi: anInstance({status: readyRun}),
      pod: aPod({
        state: isRunning,
        status: {conditions: [{type: 'Ready', status: 'False', reason: 'ContainersNotReady'}]},
      }),
    },
    'False',
    'ContainersNotReady',
  ],
];

test.each(readyTable)('%s', (_sentence, world, status, reason) => {
  const condition = conditionOf(after(world), 'Ready');
  expect([condition?.status, condition?.reason]).toEqual([status, reason]);
});

test('while a vanished pod is not confirmed, the condition names the node and the way out', () => {
  const message = conditionOf(after({vmi: anInstance({status: readyRun})}), 'Ready')?.message;
  expect(message).toMatch(/node-daemon of n1.*out-of-service/);
});

test('every status is stable: deciding again changes nothing', () => {
  const worlds: Partial<World>[] = [
    {},
    {nodes: [withoutKvm], pod: aPod()},
    {vmi: anInstance({status: {phase: 'Scheduling'}}), pod: aPod({state: waitsFor('ErrImagePull', 'x')})},
    {vmi: anInstance({status: running})},
    {vmi: anInstance({spec: claimDisk('data')})},
  ];
  for (const world of worlds) {
    const first = after({pod: aPod(), ...world});
    const again = after({pod: aPod(), ...world, vmi: anInstance({...world.vmi, status: first})});
    expect(statusPatch(first, again)).toBeUndefined();
  }
});
