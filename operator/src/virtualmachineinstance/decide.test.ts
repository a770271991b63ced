import {InstanceCondition, Label} from '@wherry/api';
import {describe, expect, test} from '@jest/globals';
import {anInstance, aPod, config, exited, isRunning, running, scheduled, waitsFor} from '../testing/fixtures.ts';
import {anInstanceWorld} from '../testing/worlds.ts';
import {decide} from './decide.ts';
import type {World} from './world.ts';

const plan = (overrides: Partial<World>) => decide(anInstanceWorld(overrides));
const deletionTimestamp = '2026-01-01T00:00:00Z';
const deleted = anInstance({metadata: {deletionTimestamp}, status: running});

test('an instance that was made by hand gets the finalizer before its pod', () => {
  expect(plan({vmi: anInstance({metadata: {finalizers: []}})})).toMatchObject({
    finalizer: 'add',
    makePod: {accelerator: 'kvm'},
  });
  expect(plan({})).toMatchObject({finalizer: 'keep', makePod: {accelerator: 'kvm'}});
});

test('deleting an instance deletes its pod, once', () => {
  expect(plan({vmi: deleted, pod: aPod({state: isRunning})}).deletePods).toHaveLength(1);
  expect(plan({vmi: deleted, pod: aPod({state: isRunning, metadata: {deletionTimestamp}})}).deletePods).toEqual([]);
});

test('the pod of a guest that ended by itself stays for its logs', () => {
  expect(plan({vmi: anInstance({status: running}), pod: aPod({state: exited(0)})}).deletePods).toEqual([]);
});

test('a pod whose container has ended is removed at once, also when it is being deleted already', () => {
  const vmi = anInstance({metadata: {deletionTimestamp}, status: {...running, phase: 'Succeeded'}});
  const ended = aPod({state: exited(20)});
  expect(plan({vmi, pod: ended}).deletePods).toEqual([{pod: ended, atOnce: true}]);
  const going = aPod({state: exited(20), metadata: {deletionTimestamp}});
  expect(plan({vmi, pod: going}).deletePods).toEqual([{pod: going, atOnce: true}]);
});

test('it is not removed before the status says how it ended: it is the evidence', () => {
  const going = aPod({state: exited(20), metadata: {deletionTimestamp}});
  expect(plan({vmi: deleted, pod: going})).toMatchObject({deletePods: [], step: {to: 'ended'}});
});

test('a pod whose container the kubelet lost sight of is left to the kubelet', () => {
  const lost = aPod({state: exited(137, '', 'ContainerStatusUnknown'), metadata: {deletionTimestamp}});
  expect(plan({vmi: deleted, pod: lost}).deletePods).toEqual([]);
});

test('a stray pod is deleted although the instance stays', () => {
  const stray = aPod({metadata: {uid: 'stray'}});
  expect(plan({vmi: anInstance({status: running}), pod: aPod({state: isRunning}), strays: [stray]}).deletePods).toEqual(
    [{pod: stray, atOnce: false}],
  );
});

const table: [sentence: string, world: Partial<World>, finalizer: string][] = [
  ['while the pod is there the finalizer stays', {vmi: deleted, pod: aPod({state: exited(20)})}, 'keep'],
  ['while a stray pod is there the finalizer stays', {vmi: deleted, nodeFenced: true, strays: [aPod()]}, 'keep'],
  ['while an engine may live the finalizer stays, although the pod is gone', {vmi: deleted}, 'keep'],
  [
    'when the pod is gone and was seen to end the finalizer goes',
    {vmi: deleted, lastWords: aPod({state: exited(20)})},
    'remove',
  ],
  ['when the pod is gone and the node is fenced the finalizer goes', {vmi: deleted, nodeFenced: true}, 'remove'],
  [
    'when the pod is gone and the daemon confirms it the finalizer goes',
    {
      vmi: anInstance({
        metadata: {deletionTimestamp},
        status: {...running, conditions: [{type: InstanceCondition.EngineActive, status: 'False'}]},
      }),
    },
    'remove',
  ],
  [
    'a run that was never handed over needs no confirmation',
    {vmi: anInstance({metadata: {deletionTimestamp}, status: {phase: 'Scheduling'}})},
    'remove',
  ],
  [
    'a finalizer that is off already is not removed again',
    {vmi: anInstance({metadata: {deletionTimestamp, finalizers: ['other']}})},
    'keep',
  ],
];

test.each(table)('%s', (_sentence, world, finalizer) => {
  expect(plan(world).finalizer).toBe(finalizer);
});

test('a missing claim is said once', () => {
  const spec = {volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'data'}}]};
  expect(plan({vmi: anInstance({spec})}).events).toMatchObject([{type: 'Warning', reason: 'FailedPvcNotFound'}]);
  const said = anInstance({
    spec,
    status: {phase: 'Pending', conditions: [{type: 'Synchronized', status: 'False', reason: 'FailedPvcNotFound'}]},
  });
  expect(plan({vmi: said}).events).toEqual([]);
});

test('the end of a guest is said, as a warning when it failed', () => {
  const vmi = anInstance({status: running});
  expect(plan({vmi, pod: aPod({state: exited(0)})}).events).toMatchObject([{type: 'Normal', reason: 'Stopped'}]);
  expect(plan({vmi, pod: aPod({state: exited(30)})}).events).toMatchObject([{type: 'Warning', reason: 'Stopped'}]);
});

const saying = (type: string, reason: string) =>
  anInstance({status: {phase: 'Scheduling', conditions: [{type, status: 'False', reason}]}});
const pullFails = (reason: string) => aPod({state: waitsFor(reason, 'no such image')});

test('an image that cannot be pulled is said once, although the kubelet takes turns between two words for it', () => {
  const vmi = anInstance({status: {phase: 'Scheduling'}});
  expect(plan({vmi, pod: pullFails('ErrImagePull')}).events).toMatchObject([{type: 'Warning', reason: 'ErrImagePull'}]);
  const {events} = plan({vmi: saying('Synchronized', 'ErrImagePull'), pod: pullFails('ImagePullBackOff')});
  expect(events).toEqual([]);
});

test('that no node fits is said once, in the scheduler’s words', () => {
  const conditions = [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes'}];
  const pod = aPod({status: {conditions}});
  expect(plan({vmi: anInstance({status: {phase: 'Scheduling'}}), pod}).events).toEqual([
    {type: 'Warning', reason: 'Unschedulable', message: '0/1 nodes'},
  ]);
  expect(plan({vmi: saying('PodScheduled', 'Unschedulable'), pod}).events).toEqual([]);
});

test('what stood in the way of the start is not said of a guest that was handed over', () => {
  expect(plan({vmi: anInstance({status: scheduled}), pod: pullFails('ErrImagePull')}).events).toEqual([]);
});

test('that a running guest is asked to shut down is said once, whoever deletes its pod', () => {
  const pod = aPod({state: isRunning, metadata: {deletionTimestamp}});
  expect(plan({vmi: anInstance({status: running}), pod}).events).toMatchObject([
    {type: 'Normal', reason: 'ShuttingDown'},
  ]);
  const conditions = [{type: 'Ready', status: 'False' as const, reason: 'PodTerminating'}];
  expect(plan({vmi: anInstance({status: {...running, conditions}}), pod}).events).toEqual([]);
});

describe('the label with the node', () => {
  test('comes with the hand-over', () => {
    const labelled = {[Label.nodeName]: 'n1'};
    expect(decide(anInstanceWorld({pod: aPod({state: isRunning})})).labelNode).toBe('n1');
    const vmi = anInstance({metadata: {labels: labelled}, status: running});
    expect(decide(anInstanceWorld({vmi, pod: aPod({state: isRunning})})).labelNode).toBeUndefined();
  });

  test('is made good where it is missing or wrong, as long as the guest may run', () => {
    const pod = aPod({state: isRunning});
    expect(decide(anInstanceWorld({vmi: anInstance({status: running}), pod})).labelNode).toBe('n1');
    const wrong = anInstance({metadata: {labels: {[Label.nodeName]: 'n2'}}, status: running});
    expect(decide(anInstanceWorld({vmi: wrong, pod})).labelNode).toBe('n1');
    const ended = anInstance({status: {...running, phase: 'Failed'}});
    expect(decide(anInstanceWorld({vmi: ended})).labelNode).toBeUndefined();
    expect(decide(anInstanceWorld()).labelNode).toBeUndefined();
  });
});

describe('an instance that must not be evicted', () => {
  const external = {evictionStrategy: 'External'} as const;

  test('gets its budget before its pod, and again where somebody deleted it', () => {
    expect(decide(anInstanceWorld({vmi: anInstance({spec: external})})).protect).toBe(true);
    const vmi = anInstance({spec: external, status: running});
    expect(decide(anInstanceWorld({vmi, pod: aPod({state: isRunning}), budget: true})).protect).toBe(false);
    expect(decide(anInstanceWorld({vmi, pod: aPod({state: isRunning})})).protect).toBe(true);
  });

  test('is so by the configuration too, and loses its budget when that changes', () => {
    const vmi = anInstance({status: running});
    const world = {vmi, pod: aPod({state: isRunning})};
    const outside = {...config, evictionStrategy: 'External'} as const;
    expect(decide(anInstanceWorld({...world, config: outside}))).toMatchObject({protect: true, unprotect: false});
    expect(decide(anInstanceWorld({...world, config: outside, budget: true}))).toMatchObject({unprotect: false});
    expect(decide(anInstanceWorld({...world, budget: true}))).toMatchObject({protect: false, unprotect: true});
    expect(decide(anInstanceWorld(world))).toMatchObject({protect: false, unprotect: false});
  });

  test('is one whose strategy is External, as long as it may run', () => {
    expect(decide(anInstanceWorld()).protect).toBe(false);
    expect(decide(anInstanceWorld({vmi: anInstance({spec: {evictionStrategy: 'None'}})})).protect).toBe(false);
    const ended = anInstance({spec: external, status: {...running, phase: 'Succeeded'}});
    expect(decide(anInstanceWorld({vmi: ended})).protect).toBe(false);
  });

  test('tells once that its node is being drained', () => {
    const pod = aPod({state: isRunning});
    const vmi = anInstance({spec: external, status: running});
    const events = (overrides: object) => decide(anInstanceWorld({vmi, pod, budget: true, ...overrides})).events;
    expect(events({nodeDraining: true})).toMatchObject([{type: 'Normal', reason: 'EvictionRequested'}]);
    expect(events({nodeDraining: false})).toEqual([]);
    const told = anInstance({spec: external, status: {...running, evacuationNodeName: 'n1'}});
    expect(events({vmi: told, nodeDraining: true})).toEqual([]);
  });
});
