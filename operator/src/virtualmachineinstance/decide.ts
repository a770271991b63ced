import {
  type ConditionType,
  Finalizer,
  InstanceCondition,
  type InstanceStatus,
  isFinal,
  Label,
  Reason,
} from '@wherry/api';
import type {Pod} from '@wherry/kube';
import {findCondition} from '../conditions.ts';
import {hasFinalizer, isDeleting} from '../objects.ts';
import type {Runner} from '../pod/runner.ts';
import {engineMayLive} from './engine-life.ts';
import {evacuationNode, isExternal, needsBudget} from './eviction.ts';
import {
  cannotStart,
  type EventText,
  evictionRequested,
  guestEnded,
  nodeAnswers,
  nodeUnresponsive,
  shuttingDown,
} from './events.ts';
import {computeState} from './launcher-pod.ts';
import {daemonSilent, isDaemonMissing, isNodeLost, unresponsive, wasHandedOver} from './node-loss.ts';
import {nextStep, type Step} from './phase.ts';
import {problemOf, unscheduled} from './pod-problems.ts';
import type {World} from './world.ts';

export interface PodDeletion {
  readonly pod: Pod;
  /** Remove the object at once, without the kubelet: its container has ended. */
  readonly atOnce: boolean;
}

/** What is to be done about one instance. At most one of each, and nothing when nothing changed. */
export interface Plan {
  readonly finalizer: 'keep' | 'add' | 'remove';
  /** Make the pod, to run with this. */
  readonly makePod: Runner | undefined;
  readonly deletePods: readonly PodDeletion[];
  /** Make the budget that protects the pod from eviction, before the pod. */
  readonly protect: boolean;
  /** Remove it, for the cluster's configuration no longer asks for it. */
  readonly unprotect: boolean;
  /** The node whose name the instance is to carry as a label, where it does not yet. */
  readonly labelNode: string | undefined;
  readonly step: Step;
  readonly events: readonly EventText[];
}

export const decide = (world: World): Plan => {
  const step = nextStep(world);
  return {
    finalizer: finalizer(world),
    makePod: step.to === 'Scheduling' ? step.make : undefined,
    deletePods: podsToDelete(world),
    protect: needsBudget(world.vmi, world.config) && !world.budget,
    unprotect: world.budget && !isExternal(world.vmi, world.config),
    labelNode: nodeToLabel(world, step),
    step,
    events: events(world, step),
  };
};

/** From the hand-over on, for who selects instances by their node. It stays when the run has ended. */
const nodeToLabel = ({vmi}: World, step: Step): string | undefined => {
  const node = step.to === 'Scheduled' ? step.node : vmi.status?.nodeName;
  if (node === undefined || isDeleting(vmi) || isFinal(vmi.status?.phase)) return undefined;
  return vmi.metadata.labels?.[Label.nodeName] === node ? undefined : node;
};

/**
 * The finalizer goes when nothing of the run is left: no pod in the API, and no engine on any node. It comes before the
 * first pod is made.
 */
const finalizer = (world: World): Plan['finalizer'] => {
  const {vmi, pod, strays, lastWords} = world;
  const present = hasFinalizer(vmi, Finalizer.instance);
  if (!isDeleting(vmi)) return present ? 'keep' : 'add';
  const finished = pod === undefined && strays.length === 0 && !engineMayLive({...world, pod: lastWords});
  return present && finished ? 'remove' : 'keep';
};

/**
 * Deleting the pod is what stops a guest: the kubelet's SIGTERM makes the launcher press the power button. The pod of a
 * guest that ended by itself stays for its logs until the instance goes. A pod whose container has ended is removed at
 * once: the kubelet would first unmount its volumes, which takes seconds, and the next run need not wait for that. It is
 * evidence, though, so the end must be in the instance's status first.
 */
const podsToDelete = (world: World): readonly PodDeletion[] => {
  const {vmi, pod, strays} = world;
  const isUnwanted = (one: Pod): boolean => isDeleting(vmi) || (isDeleting(one) && isAbandoned(world));
  const unwanted = pod !== undefined && isUnwanted(pod) ? [pod, ...strays] : strays;
  return unwanted
    .map(one => ({pod: one, atOnce: mayGoAtOnce(world, one)}))
    .filter(({pod: one, atOnce}) => atOnce || !isDeleting(one));
};

const mayGoAtOnce = (world: World, pod: Pod): boolean =>
  isAbandoned(world) || (isFinal(world.vmi.status?.phase) && (world.nodeFenced || computeState(pod).at === 'ended'));

/** The pod is on a node where no kubelet removes it, and it was never handed over, so that it holds no engine. */
const isAbandoned = (world: World): boolean =>
  world.vmi.status?.nodeName === undefined && (world.nodeFenced || isNodeLost(world));

const events = (world: World, step: Step): readonly EventText[] => {
  if (step.to === 'ended') return [guestEnded(step.ending)];
  const {status} = world.vmi;
  if (wasHandedOver(status?.phase)) {
    const ofNode = nodeEvent(world, step);
    if (ofNode !== undefined) return [ofNode];
  }
  if (beginsToEnd(world)) return [shuttingDown];
  const evacuated = evacuationNode(world.vmi, world.nodeDraining, world.config);
  if (evacuated !== undefined && evacuated !== status?.evacuationNodeName) return [evictionRequested(evacuated)];
  if (status?.nodeName !== undefined || isFinal(status?.phase)) return [];
  const problem = problemOf(world, step);
  const unplaced = unscheduled(world);
  return [
    ...(problem !== undefined && isNews(status, InstanceCondition.Synchronized, problem) ? [cannotStart(problem)] : []),
    ...(unplaced !== undefined && isNews(status, InstanceCondition.PodScheduled, unplaced)
      ? [cannotStart({reason: unplaced.reason, message: unplaced.message ?? 'no node fits'})]
      : []),
  ];
};

/** What is new about the node of a guest. Each text is said once. */
const nodeEvent = (world: World, step: Step): EventText | undefined => {
  const {phase, conditions} = world.vmi.status ?? {};
  const before = findCondition(conditions, InstanceCondition.Ready);
  if (step.to === 'Unknown' || (phase === 'Unknown' && isNodeLost(world))) {
    const now = unresponsive(world);
    return before?.message === now.message ? undefined : nodeUnresponsive(now);
  }
  if (phase === 'Running' && before?.reason === Reason.NodeUnresponsive) return nodeAnswers;
  const told = findCondition(conditions, InstanceCondition.NodeDaemonReady) !== undefined;
  return isDaemonMissing(world) && !told ? nodeUnresponsive(daemonSilent(world)) : undefined;
};

/** Somebody deleted the pod of a running guest: we, a drain, a user. The status does not say it yet. */
const beginsToEnd = ({vmi, pod}: World): boolean =>
  vmi.status?.phase === 'Running' &&
  pod !== undefined &&
  isDeleting(pod) &&
  findCondition(vmi.status.conditions, InstanceCondition.Ready)?.reason !== Reason.PodTerminating;

/** What stands in the way is said once, and again when it becomes something else. */
const isNews = (
  status: InstanceStatus | undefined,
  type: ConditionType,
  {reason}: {readonly reason: string},
): boolean => {
  const before = findCondition(status?.conditions, type)?.reason;
  return before === undefined || familyOf(before) !== familyOf(reason);
};

/** The kubelet takes turns between these two for one and the same image. */
const familyOf = (reason: string): string => (reason === Reason.ImagePullBackOff ? Reason.ErrImagePull : reason);
