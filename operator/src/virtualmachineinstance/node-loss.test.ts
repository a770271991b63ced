/** What becomes of a run whose node, or node-daemon, is not heard of. */
import {describe, expect, test} from '@jest/globals';
import type {Condition, InstanceStatus} from '@wherry/api';
import type {DaemonState} from '../node/sighting.ts';
import type {Instance} from '../objects.ts';
import {statusPatch} from '../status-patch.ts';
import {anInstance, aPod, exited, isRunning, running, scheduled} from '../testing/fixtures.ts';
import {anInstanceWorld, now} from '../testing/worlds.ts';
import {decide} from './decide.ts';
import {nextStatus} from './next-status.ts';
import {nextStep} from './phase.ts';
import type {World} from './world.ts';

const engineActive: Condition = {type: 'wherry.dev/EngineActive', status: 'True', reason: 'EngineStarted'};
const ready: Condition = {type: 'Ready', status: 'True', reason: 'GuestRunning'};
const ran: InstanceStatus = {...running, conditions: [ready, engineActive]};
const deletionTimestamp = '2026-01-01T00:00:00Z';
const readyPod = aPod({state: isRunning, status: {conditions: [{type: 'Ready', status: 'True'}]}});
/** As the node controller leaves the pod of a node that is not heard of. */
const leftPod = aPod({state: isRunning, status: {conditions: [{type: 'Ready', status: 'False'}]}});

const lost: Partial<World> = {nodeReady: false, daemon: 'silent', pod: leftPod};
const world = (overrides: Partial<World>): World => anInstanceWorld({vmi: anInstance({status: ran}), ...overrides});

/** The instance after this reconcile. */
const after = (one: World): Instance => ({...one.vmi, status: nextStatus(one, decide(one).step, undefined, now)});
const conditionOf = (vmi: Instance, type: string) => vmi.status?.conditions?.find(one => one.type === type);
const events = (one: World): string[] => decide(one).events.map(({reason}) => reason);

/** A run of a lost node, as its status says. */
const unknown = after(world(lost));

describe('a node of which nothing is heard', () => {
  test('makes the phase of its guests Unknown, and nobody runs them elsewhere', () => {
    expect(unknown.status).toMatchObject({phase: 'Unknown', nodeName: 'n1'});
    expect(unknown.status?.phaseTransitionTimestamps?.map(({phase}) => phase)).toEqual(['Running', 'Unknown']);
    expect(conditionOf(unknown, 'Ready')).toMatchObject({status: 'False', reason: 'NodeUnresponsive'});
    expect(conditionOf(unknown, 'wherry.dev/EngineActive')).toEqual(engineActive);
  });

  test('says what an admin can do, word for word', () => {
    const message = conditionOf(unknown, 'Ready')?.message;
    expect(message).toContain('kubectl taint nodes n1 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute');
    expect(message).toContain('kubectl delete node n1');
  });

  test('is told in one event and one write, however often it is looked at', () => {
    expect(events(world(lost))).toEqual(['NodeUnresponsive']);
    const again = world({...lost, vmi: unknown});
    expect(events(again)).toEqual([]);
    expect(statusPatch(unknown.status, after(again).status ?? {})).toBeUndefined();
  });

  test('holds also a guest that had not started yet', () => {
    expect(nextStep(world({...lost, vmi: anInstance({status: scheduled})}))).toEqual({to: 'Unknown'});
  });

  test('says why a machine that is deleted stays, once', () => {
    const deleted = {...unknown, metadata: {...unknown.metadata, deletionTimestamp}};
    const asked = world({...lost, vmi: deleted});
    expect(decide(asked)).toMatchObject({finalizer: 'keep', step: {to: 'same'}});
    expect(events(asked)).toEqual(['NodeUnresponsive']);
    const told = after(asked);
    expect(conditionOf(told, 'Ready')?.message).toContain('it is not removed');
    expect(events(world({...lost, vmi: told}))).toEqual([]);
  });

  test('is said before anything about its pod, which nobody there removes', () => {
    for (const pod of [aPod({state: isRunning, metadata: {deletionTimestamp}}), undefined]) {
      const vmi = after(world({...lost, vmi: unknown, pod}));
      expect(conditionOf(vmi, 'Ready')?.reason).toBe('NodeUnresponsive');
      expect(vmi.status?.phase).toBe('Unknown');
    }
  });

  test('does not hide how a guest ended before', () => {
    const step = nextStep(world({...lost, pod: aPod({state: exited(0)})}));
    expect(step).toMatchObject({to: 'ended', ending: {phase: 'Succeeded'}});
  });
});

const halves: [sentence: string, nodeReady: boolean, daemon: DaemonState][] = [
  ['a daemon that is silent on a node that is ready', true, 'silent'],
  ['a kubelet that is silent beside a daemon that answers', false, 'answers'],
  ['a node that is not ready, before the daemon was watched long enough', false, 'unknown'],
  ['a node that is not ready whose daemon has no Lease', false, 'absent'],
];

test.each(halves)('%s does not change what is said of a guest', (_sentence, nodeReady, daemon) => {
  const one = world({nodeReady, daemon, pod: readyPod});
  expect(nextStep(one)).toEqual({to: 'same'});
  expect(statusPatch(ran, after(one).status ?? {})).toBeUndefined();
  expect(events(one)).toEqual([]);
});

describe('a node that is back', () => {
  const returned = world({vmi: unknown, pod: readyPod, daemon: 'answers'});

  test('leaves it to its daemon to say that the guest runs', () => {
    const vmi = after(returned);
    expect(vmi.status?.phase).toBe('Unknown');
    expect(conditionOf(vmi, 'Ready')).toMatchObject({reason: 'NodeUnresponsive'});
    expect(conditionOf(vmi, 'Ready')?.message).toContain('is back');
    expect(events(returned)).toEqual([]);
  });

  test('has a guest that is ready again once the daemon has said so', () => {
    const told = world({vmi: {...unknown, status: {...unknown.status, phase: 'Running'}}, pod: readyPod});
    expect(conditionOf(after(told), 'Ready')).toMatchObject({status: 'True', reason: 'GuestRunning'});
    expect(events(told)).toEqual(['NodeAnswers']);
    expect(events(world({vmi: after(told), pod: readyPod}))).toEqual([]);
  });

  test('whose pod has ended meanwhile ends the run as the pod says', () => {
    expect(nextStep(world({vmi: unknown, pod: aPod({state: exited(255)})}))).toMatchObject({to: 'ended'});
  });
});

describe('a node that is fenced', () => {
  const fenced: Partial<World> = {...lost, nodeFenced: true, vmi: unknown};

  test('ends the run, whatever the API still tells of its pod', () => {
    const vmi = after(world(fenced));
    expect(vmi.status).toMatchObject({phase: 'Failed', reason: 'NodeUnresponsive'});
    expect(conditionOf(vmi, 'Ready')).toMatchObject({status: 'False', reason: 'GuestNotRunning'});
    expect(decide(world(fenced)).deletePods).toEqual([]);
  });

  test('ends also a run of which nobody knew yet that its node is lost', () => {
    expect(nextStep(world({...lost, nodeFenced: true}))).toMatchObject({to: 'ended', ending: {phase: 'Failed'}});
  });

  test('has no kubelet that removes pods: that of a run that goes is removed at once', () => {
    const vmi = {...after(world(fenced)), metadata: {...unknown.metadata, deletionTimestamp}};
    const going = aPod({state: isRunning, metadata: {deletionTimestamp}});
    expect(decide(world({...fenced, vmi, pod: going})).deletePods).toEqual([{pod: going, atOnce: true}]);
    expect(decide(world({...fenced, vmi, pod: undefined})).finalizer).toBe('remove');
  });

  test('keeps the proof of a daemon that told the end of the engine before', () => {
    const gone: Condition = {type: 'wherry.dev/EngineActive', status: 'False', reason: 'EngineExited'};
    const vmi = anInstance({status: {...running, conditions: [gone]}});
    expect(nextStep(world({...fenced, vmi, pod: undefined}))).toMatchObject({ending: {reason: 'PodLost'}});
  });
});

describe('a daemon that is missing on a node that is ready', () => {
  const missing: Partial<World> = {daemon: 'missing', pod: readyPod};
  const told = after(world(missing));

  test('is said in a condition and one event, and the guest stays Running and ready', () => {
    expect(told.status?.phase).toBe('Running');
    expect(conditionOf(told, 'Ready')?.status).toBe('True');
    expect(conditionOf(told, 'wherry.dev/NodeDaemonReady')).toMatchObject({
      status: 'False',
      reason: 'NodeDaemonSilent',
    });
    expect(events(world(missing))).toEqual(['NodeDaemonSilent']);
    expect(events(world({...missing, vmi: told}))).toEqual([]);
  });

  test('is not unsaid before it is heard of', () => {
    const still = after(world({daemon: 'unknown', pod: readyPod, vmi: told}));
    expect(conditionOf(still, 'wherry.dev/NodeDaemonReady')).toBeDefined();
    const back = after(world({daemon: 'answers', pod: readyPod, vmi: told}));
    expect(conditionOf(back, 'wherry.dev/NodeDaemonReady')).toBeUndefined();
  });

  test('is no news once its node is lost too, or the run is over', () => {
    expect(conditionOf(after(world({...lost, vmi: told})), 'wherry.dev/NodeDaemonReady')).toBeUndefined();
    expect(
      conditionOf(after(world({...missing, pod: aPod({state: exited(0)}), vmi: told})), 'wherry.dev/NodeDaemonReady'),
    ).toBeUndefined();
  });
});

describe('a pod on a lost node that was never handed over', () => {
  const starting: InstanceStatus = {phase: 'Scheduling'};
  const waiting = aPod({state: isRunning});
  const going = aPod({state: isRunning, metadata: {deletionTimestamp}});
  const deletions = (overrides: Partial<World>) =>
    decide(world({...lost, vmi: anInstance({status: starting}), ...overrides})).deletePods;

  test('holds no engine: once somebody deletes it, or its instance, it is removed without its kubelet', () => {
    expect(deletions({pod: going})).toEqual([{pod: going, atOnce: true}]);
    const deleted = anInstance({metadata: {deletionTimestamp}, status: starting});
    expect(deletions({pod: waiting, vmi: deleted})).toEqual([{pod: waiting, atOnce: true}]);
  });

  test('stays while nobody deletes it, or while its node is heard of', () => {
    expect(deletions({pod: waiting})).toEqual([]);
    expect(deletions({pod: going, daemon: 'answers'})).toEqual([]);
    expect(deletions({pod: going, nodeReady: true})).toEqual([]);
  });

  test('is another matter from the hand-over on', () => {
    expect(deletions({pod: going, vmi: unknown})).toEqual([]);
  });
});

test('a pod that is gone beside a daemon that answers and a kubelet that does not: what to repair is said', () => {
  const one = world({pod: undefined, nodeReady: false, daemon: 'answers'});
  expect(conditionOf(after(one), 'Ready')).toMatchObject({reason: 'PodNotExists'});
  expect(conditionOf(after(one), 'Ready')?.message).toContain('kubelet does not');
});
