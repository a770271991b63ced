import {InstanceCondition} from '@wherry/api';
import {describe, expect, test} from '@jest/globals';
import {
  aClaim,
  anInstance,
  aPod,
  claimDisk,
  config,
  exited,
  isRunning,
  running,
  scheduled,
  waitsFor,
  withoutKvm,
} from '../testing/fixtures.ts';
import {anInstanceWorld, now} from '../testing/worlds.ts';
import {nextStep} from './phase.ts';
import type {World} from './world.ts';

const step = (overrides: Partial<World>) => nextStep(anInstanceWorld(overrides));
const deletionTimestamp = new Date(now).toISOString();
const deleting = {deletionTimestamp};
const scheduling = anInstance({status: {phase: 'Scheduling'}});
const engineGone = anInstance({
  status: {...running, conditions: [{type: InstanceCondition.EngineActive, status: 'False'}]},
});

/** The kubelet gave up on the container: it says no more than that. */
const lostTrack = aPod({state: exited(137, '', 'ContainerStatusUnknown'), status: {phase: 'Failed'}});
/** A kubelet that restarts may refuse a pod whose container still runs. */
const refused = aPod({status: {phase: 'Failed', reason: 'NodeAffinity'}});

const table: [sentence: string, world: Partial<World>, to: string][] = [
  ['a new instance gets a pod', {}, 'Scheduling'],
  ['an instance whose pod was made before a crash goes on with it', {pod: aPod()}, 'Scheduling'],
  ['a new instance that is deleted at once gets none', {vmi: anInstance({metadata: deleting})}, 'same'],
  ['a pod without a node is waited for', {vmi: scheduling, pod: aPod({state: waitsFor('ContainerCreating')})}, 'same'],
  ['a running container is handed over', {vmi: scheduling, pod: aPod({state: isRunning})}, 'Scheduled'],
  ['a quick pod is handed over without a stop', {pod: aPod({state: isRunning})}, 'Scheduled'],
  [
    'a pod that is being deleted is never handed over',
    {vmi: scheduling, pod: aPod({state: isRunning, metadata: deleting})},
    'same',
  ],
  [
    'the pod of an instance that is being deleted is never handed over',
    {vmi: anInstance({metadata: deleting, status: {phase: 'Scheduling'}}), pod: aPod({state: isRunning})},
    'same',
  ],
  ['a pod lost before the hand-over ends the run', {vmi: scheduling}, 'ended'],
  ['a pod that ended before the hand-over ends the run', {vmi: scheduling, pod: aPod({state: exited(33)})}, 'ended'],
  [
    'a scheduled guest is the daemon’s to start',
    {vmi: anInstance({status: scheduled}), pod: aPod({state: isRunning})},
    'same',
  ],
  ['a running guest is left alone', {vmi: anInstance({status: running}), pod: aPod({state: isRunning})}, 'same'],
  ['a guest that ended ends the run', {vmi: anInstance({status: running}), pod: aPod({state: exited(0)})}, 'ended'],
  ['a vanished pod does not end a run while its engine may live', {vmi: anInstance({status: running})}, 'same'],
  ['it does when the daemon says that the engine is gone', {vmi: engineGone}, 'ended'],
  ['it does when the node is fenced', {vmi: anInstance({status: running}), nodeFenced: true}, 'ended'],
  [
    'the engine’s end alone does not end a run: the pod will say how it went',
    {vmi: engineGone, pod: aPod({state: isRunning})},
    'same',
  ],
  [
    'the last word of a pod that is gone ends the run',
    {vmi: anInstance({status: running}), lastWords: aPod({state: exited(0)})},
    'ended',
  ],
  [
    'a failed pod whose container got lost does not end a run while its engine may live',
    {vmi: anInstance({status: running}), pod: lostTrack},
    'same',
  ],
  [
    'a pod that says it was refused does not end a run that was handed over',
    {vmi: anInstance({status: running}), pod: refused},
    'same',
  ],
  ['it does before the hand-over', {vmi: scheduling, pod: refused}, 'ended'],
  ['either does when the daemon says that the engine is gone', {vmi: engineGone, pod: lostTrack}, 'ended'],
  [
    'a finished run stays finished',
    {vmi: anInstance({status: {...running, phase: 'Failed'}}), pod: aPod({state: exited(0)})},
    'same',
  ],
  [
    'a finished run stays finished without a pod',
    {vmi: anInstance({status: {...running, phase: 'Succeeded'}})},
    'same',
  ],
];

test.each(table)('%s', (_sentence, world, to) => {
  expect(step(world).to).toBe(to);
});

test('a pod that was evicted ends the run as such, though its container’s end is not told yet', () => {
  const status = {phase: 'Failed', reason: 'Evicted', message: 'Pod ephemeral local storage usage exceeds the limit.'};
  const pod = aPod({state: isRunning, status});
  const ending = {phase: 'Failed', reason: 'Evicted', message: expect.stringContaining('ephemeral-storage')};
  expect(step({vmi: engineGone, pod})).toMatchObject({to: 'ended', ending});
  expect(step({vmi: engineGone, lastWords: pod})).toMatchObject({to: 'ended', ending});
});

describe('a guest that was stopped although nobody deletes its pod', () => {
  const vmi = anInstance({status: running});
  const stoppedBy = (exitCode: number, status: object, metadata = {}) =>
    step({vmi, pod: aPod({state: exited(exitCode), status, metadata})});

  test.each([20, 21, 22, 137])('goes on until its kubelet has said why (exit code %d)', exitCode => {
    expect(stoppedBy(exitCode, {phase: 'Running'})).toEqual({to: 'same'});
    const said = {phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.'};
    expect(stoppedBy(exitCode, said)).toMatchObject({to: 'ended', ending: {reason: 'Evicted'}});
    expect(stoppedBy(exitCode, {phase: 'Failed'})).toMatchObject({to: 'ended'});
  });

  test('has ended where there is nothing to wait for', () => {
    const conditions = [{type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI'}];
    const named = {reason: 'EvictionByEvictionAPI'};
    expect(stoppedBy(20, {phase: 'Running', conditions})).toMatchObject({to: 'ended', ending: named});
    const deleted = {deletionTimestamp: '2026-01-01T00:00:00Z'};
    expect(stoppedBy(20, {phase: 'Running'}, deleted)).toMatchObject({to: 'ended'});
    // It is gone from the API, and will say no more.
    const last = aPod({state: exited(20), status: {phase: 'Running'}});
    expect(step({vmi, lastWords: last})).toMatchObject({to: 'ended'});
  });

  test.each([0, 23, 30, 31, 32, 33, 34])('is not one that ended by itself (exit code %d)', exitCode => {
    expect(stoppedBy(exitCode, {phase: 'Running'})).toMatchObject({to: 'ended'});
  });

  test('is not one whose memory ran out, or whose program could not be executed', () => {
    for (const reason of ['OOMKilled', 'StartError']) {
      const pod = aPod({state: exited(137, '', reason), status: {phase: 'Running'}});
      expect(step({vmi, pod})).toMatchObject({to: 'ended'});
    }
  });
});

test('a pod that vanished without a word was lost', () => {
  expect(step({vmi: engineGone})).toMatchObject({ending: {phase: 'Failed', reason: 'PodLost'}});
});

test('the hand-over names the pod’s node and image', () => {
  expect(step({pod: aPod({state: isRunning})})).toMatchObject({node: 'n1', image: 'wherry/launcher:test'});
});

test('a pod is made for the accelerator that the nodes offer', () => {
  expect(step({})).toMatchObject({to: 'Scheduling', make: {accelerator: 'kvm', engine: 'qemu'}});
  expect(step({nodes: [withoutKvm]})).toMatchObject({to: 'Scheduling', make: {accelerator: 'tcg'}});
});

test('a stored instance that asks for what is not supported gets no pod, and says why', () => {
  const problem = {reason: 'NotSupported', message: expect.stringContaining('resourceClaims is not supported')};
  const spec = {resourceClaims: [{name: 'gpu'}]} as object;
  expect(step({vmi: anInstance({spec})})).toMatchObject({to: 'Pending', problem});
  const annotated = anInstance({metadata: {annotations: {'kubevirt.io/ignitiondata': '{}'}}});
  expect(step({vmi: annotated})).toMatchObject({to: 'Pending', problem: {reason: 'NotSupported'}});
  expect(step({vmi: anInstance({spec, status: running}), pod: aPod({state: isRunning})})).toEqual({to: 'same'});
});

test('without KVM and without leave to emulate, the instance waits and says why', () => {
  expect(step({nodes: [withoutKvm], config: {...config, allowEmulation: false}})).toMatchObject({
    to: 'Pending',
    problem: {reason: 'NoUsableKVM'},
  });
});

const wants = (engine: string) => anInstance({metadata: {annotations: {'wherry.dev/engine': engine}}});

test('an engine that is not there is refused by name', () => {
  expect(step({vmi: wants('xen')})).toMatchObject({
    to: 'Pending',
    problem: {reason: 'UnsupportedEngine', message: expect.stringContaining('"xen"')},
  });
  for (const engine of ['auto', 'qemu']) expect(step({vmi: wants(engine)}).to).toBe('Scheduling');
});

test('a missing claim is waited for by name', () => {
  expect(step({vmi: anInstance({spec: claimDisk('data')})})).toMatchObject({
    to: 'Pending',
    problem: {reason: 'FailedPvcNotFound', message: expect.stringContaining('PersistentVolumeClaim data')},
  });
});

test('a claim in block mode is as good as one with a filesystem', () => {
  const claim = aClaim('data', {spec: {volumeMode: 'Block'}});
  expect(step({vmi: anInstance({spec: claimDisk('data')}), claims: new Map([['data', claim]])})).toMatchObject({
    to: 'Scheduling',
  });
});

test('a claim that waits for its first consumer does not hold the pod back', () => {
  const claims = new Map([['data', aClaim('data', {status: {phase: 'Pending'}})]]);
  expect(step({vmi: anInstance({spec: claimDisk('data')}), claims}).to).toBe('Scheduling');
});

test('a run is handed over only when its claims’ sizes are known', () => {
  const vmi = anInstance({spec: claimDisk('data'), status: {phase: 'Scheduling'}});
  const pod = aPod({state: isRunning});
  const unbound = new Map([['data', aClaim('data', {status: {phase: 'Pending'}})]]);
  expect(step({vmi, pod, claims: unbound}).to).toBe('same');
  expect(step({vmi, pod, claims: new Map([['data', aClaim('data')]])}).to).toBe('Scheduled');
});

test('a pod that was shut down is a success only when the instance is being deleted', () => {
  const pod = aPod({state: exited(20)});
  expect(step({vmi: anInstance({status: running}), pod})).toMatchObject({ending: {phase: 'Failed'}});
  expect(step({vmi: anInstance({status: running, metadata: deleting}), pod})).toMatchObject({
    ending: {phase: 'Succeeded'},
  });
});
