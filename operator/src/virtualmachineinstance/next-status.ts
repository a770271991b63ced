import {
  Annotation,
  engineNames,
  InstanceCondition,
  type InstanceStatus,
  lostUnderEmulation,
  PodLayout,
  Reason,
} from '@wherry/api';
import type {Pod} from '@wherry/kube';
import {
  type Condition,
  findCondition,
  timestamp,
  type Statement,
  type Verdict,
  withCondition,
  withoutCondition,
} from '../conditions.ts';
import {evacuationNode} from './eviction.ts';
import {daemonSilent, isDaemonMissing, wasHandedOver} from './node-loss.ts';
import type {Step} from './phase.ts';
import {notSynchronized, problemOf, unscheduled} from './pod-problems.ts';
import {readyVerdict} from './ready.ts';
import type {Problem} from './start-checks.ts';
import {volumeStatuses} from './volume-status.ts';
import type {World} from './world.ts';

/** Something that the operator tried and that the API refused; undefined when nothing was. */
export type Failed = Problem | undefined;

/** The whole status after this step. What the daemon wrote stays as it is. */
export const nextStatus = (world: World, step: Step, failed: Failed, now: number): InstanceStatus => {
  const before = world.vmi.status ?? {};
  const moved = movedOn(before, step, failed, now);
  const volumeStatus = volumeStatuses(world.vmi, world.claims);
  const {evacuationNodeName: _before, ...settled} = moved;
  const evacuationNodeName = evacuationNode(world.vmi, world.nodeDraining, world.config);
  const status = {
    ...settled,
    ...(volumeStatus === undefined ? {} : {volumeStatus}),
    ...(evacuationNodeName === undefined ? {} : {evacuationNodeName}),
  };
  return {...status, conditions: conditions(world, step, status, failed, now)};
};

const movedOn = (before: InstanceStatus, step: Step, failed: Failed, now: number): InstanceStatus => {
  switch (step.to) {
    case 'same':
      return before;
    case 'Pending':
    case 'Unknown':
      return at(step.to, before, now);
    case 'Scheduling':
      return at(failed === undefined ? 'Scheduling' : 'Pending', before, now);
    case 'Scheduled':
      return {
        ...at('Scheduled', before, now),
        nodeName: step.node,
        activePods: {[uidOf(step.pod)]: step.node},
        launcherContainerImageVersion: step.image,
        runtimeUser: PodLayout.user,
        ...engine(step.pod),
        ...qosClass(step.pod),
      };
    case 'ended':
      return {...at(step.ending.phase, before, now), reason: step.ending.reason};
  }
};

type OwnPhase = 'Unknown' | 'Pending' | 'Scheduling' | 'Scheduled' | 'Succeeded' | 'Failed';

/** Each phase has the time at which it first began. */
const at = (phase: OwnPhase, before: InstanceStatus, now: number): InstanceStatus => {
  if (before.phase === phase) return before;
  const times = before.phaseTransitionTimestamps ?? [];
  const phaseTransitionTimestamps = times.some(time => time.phase === phase)
    ? times
    : [...times, {phase, phaseTransitionTimestamp: timestamp(now)}];
  return {...before, phase, phaseTransitionTimestamps};
};

const conditions = (
  world: World,
  step: Step,
  status: InstanceStatus,
  failed: Failed,
  now: number,
): readonly Condition[] => {
  let list: readonly Condition[] = status.conditions ?? [];
  const set = (verdict: Statement | undefined, type: string): void => {
    list = verdict === undefined ? withoutCondition(list, type) : withCondition(list, verdict, now);
  };
  if (step.to === 'ended') {
    set(endedVerdict(step.ending.message), InstanceCondition.Ready);
    set(undefined, InstanceCondition.PodScheduled);
    set(undefined, InstanceCondition.Synchronized);
    set(undefined, InstanceCondition.NodeDaemonReady);
    return list;
  }
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return list;
  const problem = failed ?? problemOf(world, step);
  const unplaced = unscheduled(world);
  // Once the guest is handed over, the daemon says what stands in its way.
  const told =
    status.phase === 'Scheduled' && step.to === 'same'
      ? findCondition(list, InstanceCondition.Synchronized)
      : undefined;
  set(readyVerdict(status, world, (problem ?? unplaced ?? told)?.message), InstanceCondition.Ready);
  if (failed === undefined && isEmulated(world, step)) set(emulated(world), InstanceCondition.SoftwareEmulation);
  if (wasHandedOver(status.phase)) {
    if (status.phase === 'Unknown' || world.daemon === 'answers') set(undefined, InstanceCondition.NodeDaemonReady);
    else if (isDaemonMissing(world)) set(withoutDaemon(world), InstanceCondition.NodeDaemonReady);
    if (step.to === 'Scheduled') {
      set(undefined, InstanceCondition.PodScheduled);
      set(undefined, InstanceCondition.Synchronized);
    }
    return list;
  }
  set(unplaced, InstanceCondition.PodScheduled);
  set(problem === undefined ? undefined : notSynchronized(problem), InstanceCondition.Synchronized);
  return list;
};

const withoutDaemon = (world: World): Verdict => ({
  type: InstanceCondition.NodeDaemonReady,
  status: 'False',
  ...daemonSilent(world),
});

const endedVerdict = (message: string): Verdict => ({
  type: InstanceCondition.Ready,
  status: 'False',
  reason: Reason.GuestNotRunning,
  message,
});

/** What the guest asks for and does not get is said before it starts. */
const emulated = ({vmi}: World): Verdict => {
  const lost = lostUnderEmulation(vmi.spec.domain);
  const without = lost.length === 0 ? '' : `; it starts without ${lost.join('; ')}`;
  return {
    type: InstanceCondition.SoftwareEmulation,
    status: 'True',
    reason: Reason.NoHardwareVirtualization,
    message: `no node that fits has a usable KVM: the guest runs slowly, in software${without}`,
  };
};

const isEmulated = ({pod}: World, step: Step): boolean =>
  (step.to === 'Scheduling' && step.make?.accelerator === 'tcg') ||
  pod?.metadata?.annotations?.[Annotation.accelerator] === 'tcg';

const uidOf = (pod: Pod): string => pod.metadata?.uid ?? '';

/** What the pod was made for. Its version is the daemon's to say, for only then is it known. */
const engine = ({metadata}: Pod): Pick<InstanceStatus, 'engine'> => {
  const name = engineNames.find(one => one === metadata?.annotations?.[Annotation.engine]);
  const reason = metadata?.annotations?.[Annotation.engineReason];
  // The pod of an operator of before has the user's own word there, and is always QEMU's.
  return name === undefined || reason === undefined ? {} : {engine: {name, version: '', reason}};
};

const qosClass = (pod: Pod): Pick<InstanceStatus, 'qosClass'> => {
  const known = pod.status?.qosClass;
  return known === 'Guaranteed' || known === 'Burstable' || known === 'BestEffort' ? {qosClass: known} : {};
};
