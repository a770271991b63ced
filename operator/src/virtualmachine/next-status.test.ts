import type {InstanceStatus, MachineStatus} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {findCondition} from '../conditions.ts';
import type {Instance} from '../objects.ts';
import {statusPatch} from '../status-patch.ts';
import {aMachine, anInstance, type MachineOverrides, running} from '../testing/fixtures.ts';
import {aMachineWorld, now} from '../testing/worlds.ts';
import {instanceOf} from './instance.ts';
import {nextStatus, type Outcome} from './next-status.ts';

const madeFrom = (vm: MachineOverrides, status?: InstanceStatus): Instance => {
  const made = instanceOf(aMachine(vm));
  return {
    ...made,
    metadata: {...made.metadata, name: 'web', namespace: 'default', uid: 'vmi-uid', resourceVersion: '8'},
    ...(status === undefined ? {} : {status}),
  };
};

const after = (run: Instance | undefined, vm: MachineOverrides = {}, failure?: Outcome['failure']): MachineStatus =>
  nextStatus(aMachineWorld({vm: aMachine(vm), vmi: run}), {run, failure}, now, () => 0);
const conditionOf = (status: MachineStatus, type: string) => findCondition(status.conditions, type);

const readyRun: InstanceStatus = {...running, conditions: [{type: 'Ready', status: 'True'}]};

test('a machine with a ready guest is ready', () => {
  const status = after(madeFrom({}, readyRun));
  expect(status).toMatchObject({printableStatus: 'Running', created: true, ready: true, runStrategy: 'Always'});
  expect(conditionOf(status, 'Ready')?.status).toBe('True');
});

test('a machine without a run is not, because its VMI does not exist', () => {
  const status = after(undefined, {spec: {runStrategy: 'Halted'}});
  expect(status).toMatchObject({printableStatus: 'Stopped', created: false, ready: false});
  expect(conditionOf(status, 'Ready')).toMatchObject({status: 'False', reason: 'VMINotExists'});
});

test('a run that was just made reads as it will when it is first reported, which saves a write', () => {
  const first = after(madeFrom({}));
  expect(first).toMatchObject({printableStatus: 'Starting', created: true});
  for (const phase of ['Scheduling', 'Scheduled'] as const) {
    const ready = {
      type: 'Ready',
      status: 'False' as const,
      reason: 'GuestNotRunning',
      message: 'the guest is being started',
    };
    const emulated = {type: 'SoftwareEmulation', status: 'True' as const};
    const next = after(madeFrom({}, {phase, conditions: [ready, emulated]}), {status: first});
    expect(statusPatch(first, next)).toBeUndefined();
  }
});

test('conditions of a running guest are copied up, but not what only operator and daemon talk about', () => {
  const status = after(
    madeFrom(
      {},
      {
        ...running,
        conditions: [
          {type: 'AgentConnected', status: 'True'},
          {type: 'wherry.dev/EngineActive', status: 'True'},
          {type: 'SoftwareEmulation', status: 'True'},
        ],
      },
    ),
  );
  expect(status.conditions?.map(({type}) => type)).toEqual(['Ready', 'AgentConnected', 'SoftwareEmulation']);
});

test('complaints are copied up while the guest starts', () => {
  const status = after(
    madeFrom(
      {},
      {
        phase: 'Scheduling',
        conditions: [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes'}],
      },
    ),
  );
  expect(status.printableStatus).toBe('ErrorUnschedulable');
  expect(conditionOf(status, 'PodScheduled')).toMatchObject({reason: 'Unschedulable', message: '0/1 nodes'});
});

test('conditions go with the run that they came from', () => {
  const before = after(madeFrom({}, {...running, conditions: [{type: 'AgentConnected', status: 'True'}]}));
  expect(conditionOf(after(undefined, {status: before}), 'AgentConnected')).toBeUndefined();
});

test('what the API refused is a condition until it works', () => {
  const failure = {reason: 'FailedCreate' as const, message: 'exceeded quota'};
  const status = after(undefined, {}, failure);
  expect(conditionOf(status, 'Failure')).toMatchObject({status: 'True', ...failure});
  expect(conditionOf(after(madeFrom({}), {status}), 'Failure')).toBeUndefined();
});

test('a change of the template requires a restart, which the condition says, and the guest runs on', () => {
  const changed = {metadata: {generation: 2}, template: {domain: {memory: {guest: '1Gi'}, devices: {}}}};
  const status = after(madeFrom({}, readyRun), changed);
  expect(conditionOf(status, 'RestartRequired')).toMatchObject({
    status: 'True',
    message: expect.stringContaining('domain.memory.guest'),
  });
  expect(status).toMatchObject({observedGeneration: 1, desiredGeneration: 2, printableStatus: 'Running'});
  expect(conditionOf(after(madeFrom({}, readyRun), {status}), 'RestartRequired')).toBeUndefined();
});

test('a change of the run strategy alone requires none', () => {
  const status = after(madeFrom({}, readyRun), {metadata: {generation: 2}, spec: {runStrategy: 'Once'}});
  expect(conditionOf(status, 'RestartRequired')).toBeUndefined();
  expect(status).toMatchObject({observedGeneration: 2, desiredGeneration: 2});
});

test('a guest that failed before it ran is counted', () => {
  expect(after(madeFrom({}, {phase: 'Failed'}))).toMatchObject({
    printableStatus: 'CrashLoopBackOff',
    startFailure: {consecutiveFailCount: 1, lastFailedVMIUID: 'vmi-uid'},
  });
});

test('how a start failed stays in the condition Failure while the next one is tried, until a guest runs', () => {
  const ended = {type: 'Ready', status: 'False' as const, reason: 'GuestNotRunning', message: 'no such kernel'};
  const failed = after(madeFrom({}, {phase: 'Failed', reason: 'StartFailed', conditions: [ended]}));
  const failure = {status: 'True', reason: 'StartFailed', message: 'no such kernel'};
  expect(conditionOf(failed, 'Failure')).toMatchObject(failure);
  const waiting = after(undefined, {status: failed});
  expect(conditionOf(waiting, 'Failure')).toMatchObject(failure);
  const next = {...madeFrom({}), metadata: {...madeFrom({}).metadata, uid: 'next'}};
  expect(conditionOf(after(next, {status: waiting}), 'Failure')).toMatchObject(failure);
  expect(conditionOf(after({...next, status: readyRun}, {status: waiting}), 'Failure')).toBeUndefined();
});

test('a run that failed without a word of the list failed all the same', () => {
  expect(conditionOf(after(madeFrom({}, {phase: 'Failed', reason: 'Strange'})), 'Failure')).toMatchObject({
    reason: 'PodFailed',
    message: 'the guest has ended',
  });
});

test('what an ended debt or count leaves behind is removed from the status', () => {
  const before: MachineStatus = {
    startFailure: {consecutiveFailCount: 2, lastFailedVMIUID: 'old'},
    stateChangeRequests: [{action: 'Start'}],
  };
  const patch = statusPatch(before, after(madeFrom({}, readyRun), {status: before}));
  expect(patch).toMatchObject({startFailure: null, stateChangeRequests: null});
});

test('every status is stable: deciding again changes nothing', () => {
  for (const run of [undefined, madeFrom({}), madeFrom({}, readyRun), anInstance({status: {phase: 'Failed'}})]) {
    const first = after(run);
    expect(statusPatch(first, after(run, {status: first}))).toBeUndefined();
  }
});
