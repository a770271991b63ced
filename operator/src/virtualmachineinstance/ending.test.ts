import {describe, expect, test} from '@jest/globals';
import {aPod, exited, isRunning, waitsFor} from '../testing/fixtures.ts';
import {endingOf, type RunState} from './ending.ts';

const byItself = {wanted: false, handedOver: true};
const wanted = {wanted: true, handedOver: true};
const beforeHandOver = {wanted: false, handedOver: false};

const table: [sentence: string, exitCode: number, run: RunState, phase: string, reason: string][] = [
  ['a guest that powered itself off has succeeded', 0, byItself, 'Succeeded', 'PoweredOff'],
  ['so has one that did so while it was being deleted', 0, wanted, 'Succeeded', 'PoweredOff'],
  ['a guest that shut down because it was deleted has succeeded', 20, wanted, 'Succeeded', 'ShutDownOnRequest'],
  [
    'a guest whose pod was deleted by hand has failed, so that it runs again',
    20,
    byItself,
    'Failed',
    'ShutDownOnRequest',
  ],
  ['a deaf guest that was deleted has succeeded', 21, wanted, 'Succeeded', 'KilledAfterGrace'],
  ['a deaf guest whose pod was deleted by hand has failed', 21, byItself, 'Failed', 'KilledAfterGrace'],
  ['a run deleted before its start has succeeded', 22, wanted, 'Succeeded', 'StoppedBeforeStart'],
  ['a pod deleted by hand before the start is a failure', 22, byItself, 'Failed', 'StoppedBeforeStart'],
  ['a guest whose reboot ends its run has succeeded', 23, byItself, 'Succeeded', 'GuestRebooted'],
  ['a panic is a failure', 30, byItself, 'Failed', 'GuestPanicked'],
  ['a panic is a failure during deletion, too', 30, wanted, 'Failed', 'GuestPanicked'],
  ['an engine that crashed is a failure', 31, byItself, 'Failed', 'EngineCrashed'],
  ['a start that failed is a failure', 32, byItself, 'Failed', 'StartFailed'],
  ['a guest whose watchdog ended it is a failure', 34, byItself, 'Failed', 'WatchdogExpired'],
  ['a fault of the launcher is a failure', 33, byItself, 'Failed', 'LauncherFailed'],
  ['an exit code that nobody knows is a failure', 137, byItself, 'Failed', 'LauncherKilled'],
];

test.each(table)('%s', (_sentence, code, run, phase, reason) => {
  expect(endingOf(aPod({state: exited(code)}), run)).toMatchObject({phase, reason});
});

describe('a guest with a liveness probe', () => {
  const probed = {...byItself, probed: true};
  const failed = {phase: 'Failed', reason: 'LivenessProbeFailed'};

  test('that was stopped although nobody deletes its pod has failed its probe', () => {
    expect(endingOf(aPod({state: exited(20)}), probed)).toMatchObject({
      ...failed,
      message: 'the guest shut down because its pod was stopped: its liveness probe failed',
    });
    // Deaf for the whole of its grace period, or not started yet.
    expect(endingOf(aPod({state: exited(21)}), probed)).toMatchObject(failed);
    expect(endingOf(aPod({state: exited(22)}), probed)).toMatchObject(failed);
  });

  test('that ended for another reason has not', () => {
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    const deleted = aPod({state: exited(20), metadata: {deletionTimestamp}});
    expect(endingOf(deleted, probed)?.reason).toBe('ShutDownOnRequest');
    expect(endingOf(aPod({state: exited(20), status: {reason: 'Evicted'}}), probed)?.reason).toBe('Evicted');
    expect(endingOf(aPod({state: exited(0)}), probed)?.reason).toBe('PoweredOff');
    expect(endingOf(aPod({state: exited(30)}), probed)?.reason).toBe('GuestPanicked');
    expect(endingOf(aPod({state: exited(20)}), byItself)?.reason).toBe('ShutDownOnRequest');
  });
});

test('the message carries what the launcher wrote to its termination log', () => {
  const pod = aPod({state: exited(32, 'qemu: no such file\n')});
  expect(endingOf(pod, byItself)?.message).toBe('the guest could not be started: qemu: no such file');
});

test('a container that ran out of memory says so', () => {
  expect(endingOf(aPod({state: exited(137, '', 'OOMKilled')}), byItself)).toMatchObject({
    phase: 'Failed',
    reason: 'OOMKilled',
    message: expect.stringContaining('raise spec.domain.resources.limits.memory'),
  });
  // Only the engine was killed, and the launcher had time to say so.
  const complaint = 'the engine was killed (SIGKILL; out of memory?)';
  expect(endingOf(aPod({state: exited(31, complaint, 'OOMKilled')}), byItself)).toMatchObject({
    reason: 'OOMKilled',
    message: expect.stringContaining(complaint),
  });
});

test('a container whose program could not be executed is a start that failed, in the words of its runtime', () => {
  expect(endingOf(aPod({state: exited(128, 'exec: no such file', 'StartError')}), byItself)).toEqual({
    phase: 'Failed',
    reason: 'StartFailed',
    message: 'the container could not be started: exec: no such file',
  });
});

const evicted = (message = '') =>
  endingOf(aPod({state: exited(20), status: {phase: 'Failed', reason: 'Evicted', message}}), byItself);

test('an eviction is named as the reason, and for a full disk what to do', () => {
  expect(evicted()).toMatchObject({phase: 'Failed', reason: 'Evicted'});
  expect(evicted('The node was low on resource: memory.')?.message).toBe(
    'the guest shut down because its pod was stopped: The node was low on resource: memory.',
  );
  const full = evicted('Usage of EmptyDir volume "wherry-private" exceeds the limit "1Gi".')?.message;
  expect(full).toContain('Usage of EmptyDir volume');
  expect(full).toContain('keep data on a PersistentVolumeClaim');
});

test('a word of Kubernetes that nobody knows is in the message', () => {
  const status = {phase: 'Failed', reason: 'Weary', message: 'the node is tired'};
  expect(endingOf(aPod({status}), beforeHandOver)).toEqual({
    phase: 'Failed',
    reason: 'PodFailed',
    message: 'Weary: the node is tired',
  });
  expect(endingOf(aPod({status: {phase: 'Failed'}}), beforeHandOver)).toMatchObject({
    reason: 'PodFailed',
    message: 'the pod failed before its container ran',
  });
});

test('a disruption by Kubernetes is named as the reason', () => {
  const conditions = [{type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler'}];
  expect(endingOf(aPod({state: exited(20), status: {conditions}}), byItself)?.reason).toBe('PreemptionByScheduler');
});

test.each([
  ['a running container has not ended', aPod({state: isRunning})],
  ['a waiting container has not ended', aPod({state: waitsFor('ContainerCreating')})],
  ['a pod without a status has not ended', aPod()],
  [
    'a container that the kubelet lost sight of may still run',
    aPod({state: exited(137, '', 'ContainerStatusUnknown'), status: {phase: 'Failed'}}),
  ],
  [
    'a pod that is called failed while its container runs has not ended',
    aPod({state: isRunning, status: {phase: 'Failed'}}),
  ],
])('%s', (_sentence, pod) => {
  expect(endingOf(pod, byItself)).toBeUndefined();
});

test('a pod that the kubelet refused before the hand-over has failed, in its words; later that proves nothing', () => {
  const status = {phase: 'Failed', reason: 'OutOfmemory', message: 'Node did not have enough resource'};
  expect(endingOf(aPod({status}), byItself)).toBeUndefined();
  expect(endingOf(aPod({status}), beforeHandOver)).toEqual({
    phase: 'Failed',
    reason: 'OutOfmemory',
    message: 'Node did not have enough resource',
  });
});
