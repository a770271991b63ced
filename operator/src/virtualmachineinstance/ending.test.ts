import {expect, test} from '@jest/globals';
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
  ['a panic is a failure', 30, byItself, 'Failed', 'GuestPanicked'],
  ['a panic is a failure during deletion, too', 30, wanted, 'Failed', 'GuestPanicked'],
  ['an engine that crashed is a failure', 31, byItself, 'Failed', 'EngineCrashed'],
  ['a start that failed is a failure', 32, byItself, 'Failed', 'StartFailed'],
  ['a fault of the launcher is a failure', 33, byItself, 'Failed', 'LauncherFailed'],
  ['an exit code that nobody knows is a failure', 137, byItself, 'Failed', 'Error'],
];

test.each(table)('%s', (_sentence, code, run, phase, reason) => {
  expect(endingOf(aPod({state: exited(code)}), run)).toMatchObject({phase, reason});
});

test('the message carries what the launcher wrote to its termination log', () => {
  const pod = aPod({state: exited(32, 'qemu: no such file\n')});
  expect(endingOf(pod, byItself)?.message).toBe('the guest could not be started: qemu: no such file');
});

test('a container that ran out of memory says so', () => {
  expect(endingOf(aPod({state: exited(137, '', 'OOMKilled')}), byItself)).toMatchObject({
    phase: 'Failed',
    reason: 'OOMKilled',
  });
});

test('an eviction is named as the reason', () => {
  const pod = aPod({state: exited(20), status: {phase: 'Failed', reason: 'Evicted'}});
  expect(endingOf(pod, byItself)).toMatchObject({phase: 'Failed', reason: 'Evicted'});
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
