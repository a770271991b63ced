import type {InstanceStatus, PrintableStatus, RunStrategy} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {aClaim, aMachine, anInstance, claimDisk, running} from '../testing/fixtures.ts';
import {printableStatus, type View} from './printable-status.ts';

const deletionTimestamp = '2026-01-01T00:00:00Z';
const deleting = {deletionTimestamp};
const view = (overrides: Partial<View>): View => ({
  vm: aMachine(),
  run: undefined,
  claims: new Map(),
  failures: 0,
  ...overrides,
});
const under = (runStrategy: RunStrategy) => aMachine({spec: {runStrategy}});
const run = (status?: InstanceStatus) => anInstance(status === undefined ? {} : {status});
const withClaim = (status?: InstanceStatus) =>
  anInstance({spec: claimDisk('data'), ...(status === undefined ? {} : {status})});
const problem = (reason: string): InstanceStatus => ({
  phase: 'Scheduling',
  conditions: [{type: 'Synchronized', status: 'False', reason}],
});
const unschedulable: InstanceStatus = {
  phase: 'Scheduling',
  conditions: [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable'}],
};
const unbound = new Map([['data', aClaim('data', {status: {phase: 'Pending'}})]]);
const failedEarly: InstanceStatus = {phase: 'Failed'};
const failedLater: InstanceStatus = {...running, phase: 'Failed'};

const table: [sentence: string, view: Partial<View>, status: PrintableStatus][] = [
  [
    'a machine under deletion is Terminating, whatever its guest does',
    {vm: aMachine({metadata: deleting}), run: run(running)},
    'Terminating',
  ],
  ['a guest under deletion is Stopping', {run: anInstance({metadata: deleting, status: running})}, 'Stopping'],
  ['a guest of a halted machine is Stopping', {vm: under('Halted'), run: run(running)}, 'Stopping'],
  ['a paused guest is Paused', {run: run({...running, conditions: [{type: 'Paused', status: 'True'}]})}, 'Paused'],
  ['a running guest is Running', {run: run(running)}, 'Running'],
  ['a guest whose claim is missing is ErrorPvcNotFound', {run: withClaim()}, 'ErrorPvcNotFound'],
  ['a guest without a node is ErrorUnschedulable', {run: run(unschedulable)}, 'ErrorUnschedulable'],
  ['so is one without KVM where emulation is not allowed', {run: run(problem('NoUsableKVM'))}, 'ErrorUnschedulable'],
  [
    'a guest whose claim is not bound is WaitingForVolumeBinding',
    {run: withClaim(), claims: unbound},
    'WaitingForVolumeBinding',
  ],
  ['an image that failed to pull is ErrImagePull', {run: run(problem('ErrImagePull'))}, 'ErrImagePull'],
  ['so is one whose name is none', {run: run(problem('InvalidImageName'))}, 'ErrImagePull'],
  [
    'an image that is tried again later is ImagePullBackOff',
    {run: run(problem('ImagePullBackOff'))},
    'ImagePullBackOff',
  ],
  ['a new run is Starting', {run: run()}, 'Starting'],
  ['a scheduled run is Starting', {run: run({phase: 'Scheduled'})}, 'Starting'],
  ['a guest that failed before it ran is CrashLoopBackOff', {run: run(failedEarly)}, 'CrashLoopBackOff'],
  ['between two failing runs it is CrashLoopBackOff', {failures: 1}, 'CrashLoopBackOff'],
  ['a guest that failed after it ran is Stopping until its run is cleared away', {run: run(failedLater)}, 'Stopping'],
  ['a run that Once keeps is Stopped, although it failed early', {vm: under('Once'), run: run(failedEarly)}, 'Stopped'],
  ['a machine without a run is Stopped', {vm: under('Halted')}, 'Stopped'],
  ['a halted machine is Stopped in spite of failures before', {vm: under('Halted'), failures: 3}, 'Stopped'],
  [
    'a succeeded run that is cleared away is Stopping',
    {vm: under('RerunOnFailure'), run: run({...running, phase: 'Succeeded'})},
    'Stopping',
  ],
  ['an ended run under deletion is Stopping', {run: anInstance({metadata: deleting, status: failedLater})}, 'Stopping'],
  ['a guest whose node is not heard of is Unknown', {run: run({...running, phase: 'Unknown'})}, 'Unknown'],
  [
    'so is one that was paused when its node was last heard of',
    {run: run({...running, phase: 'Unknown', conditions: [{type: 'Paused', status: 'True'}]})},
    'Unknown',
  ],
];

test.each(table)('%s', (_sentence, overrides, status) => {
  expect(printableStatus(view(overrides))).toBe(status);
});
