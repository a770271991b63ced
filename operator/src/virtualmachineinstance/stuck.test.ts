import {expect, test} from '@jest/globals';
import {aClaim, aPod, exited, isRunning, waitsFor} from '../testing/fixtures.ts';
import {type Stuck, stuckOf} from './stuck.ts';

const creationTimestamp = '2026-01-01T00:00:00Z';
const placedAt = '2026-01-01T00:00:20Z';
const conditions = [{type: 'PodScheduled', status: 'True', lastTransitionTime: placedAt}];
const placed = (state?: ReturnType<typeof waitsFor>, status = {}) =>
  aPod({metadata: {creationTimestamp}, status: {conditions, ...status}, ...(state === undefined ? {} : {state})});
const unplaced = {...aPod({metadata: {creationTimestamp}}), spec: {containers: []}};
const pending = new Map([
  ['data', aClaim('data', {status: {phase: 'Pending'}})],
  ['root', aClaim('root')],
]);

const whoIs = (stuck: Stuck | undefined) => stuck?.suspects.map(({kind, name}) => `${kind} ${name}`);

test('a container that is being created may be stuck since its pod has a node', () => {
  for (const pod of [placed(), placed(waitsFor('ContainerCreating')), placed(waitsFor('PodInitializing'))]) {
    const stuck = stuckOf(pod, new Map());
    expect(stuck).toMatchObject({podUid: 'pod-uid', since: Date.parse(placedAt)});
    expect(whoIs(stuck)).toEqual([`Pod ${pod.metadata.name}`]);
  }
});

test('before a pod has a node, only claims that are not bound are suspected', () => {
  const stuck = stuckOf(unplaced, pending);
  expect(stuck?.since).toBe(Date.parse(creationTimestamp));
  expect(whoIs(stuck)).toEqual(['PersistentVolumeClaim data']);
  expect(stuckOf(unplaced, new Map([['root', aClaim('root')]]))).toBeUndefined();
});

test.each([
  ['a container that says what it waits for', placed(waitsFor('ErrImagePull'))],
  ['a container that runs', placed(isRunning)],
  ['a container that has ended', placed(exited(0))],
  ['a pod that the kubelet refused', placed(undefined, {phase: 'Failed'})],
  ['a pod that is being deleted', aPod({metadata: {creationTimestamp, deletionTimestamp: placedAt}})],
  ['a pod that was never stored', {...aPod(), metadata: {}}],
])('%s is not stuck', (_what, pod) => {
  expect(stuckOf(pod, pending)).toBeUndefined();
});
