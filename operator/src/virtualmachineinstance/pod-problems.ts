import type {Pod} from '@wherry/kube';
import {InstanceCondition, Reason} from '@wherry/api';
import type {Verdict} from '../conditions.ts';
import {complaintProblem} from './complaint-problems.ts';
import {computeState, podCondition} from './launcher-pod.ts';
import type {Step} from './phase.ts';
import type {Problem} from './start-checks.ts';
import {ordinaryWaits} from './stuck.ts';
import type {World} from './world.ts';

/** What keeps the run from getting as far as its node-daemon; undefined while nothing does. */
export const problemOf = (world: World, step: Step): Problem | undefined => {
  if (step.to === 'Pending') return step.problem;
  if (world.pod === undefined || step.to === 'Scheduled' || step.to === 'ended') return undefined;
  return containerProblem(world.pod) ?? complaintProblem(world);
};

/** Why the container does not start, in the kubelet's words. */
const containerProblem = (pod: Pod): Problem | undefined => {
  const state = computeState(pod);
  if (state.at !== 'waiting' || ordinaryWaits.has(state.reason)) return undefined;
  const {reason, message} = state;
  const image = imageReasons.find(word => word === reason);
  if (image === undefined) return {reason: Reason.ContainerNotStarted, message: `${reason}: ${message}`};
  return {reason: image, message: `${message}${message.endsWith('.') ? '' : '.'} ${imageRemedy}`};
};

/** The kubelet's words about images that it has not got. */
const imageReasons = [Reason.ErrImagePull, Reason.ImagePullBackOff, Reason.ErrImageNeverPull, Reason.InvalidImageName];

const imageRemedy =
  'Check the name of the image in the spec, that its registry has it and can be reached from the node, and ' +
  'imagePullSecret where the registry asks for one.';

/**
 * The scheduler's complaint, shown on the instance for as long as it stands. That a claim is not bound is the claim's
 * trouble and no node's: it is told as such.
 */
export const unscheduled = ({pod, claims}: Pick<World, 'pod' | 'claims'>): Verdict | undefined => {
  const scheduled = pod === undefined ? undefined : podCondition(pod, InstanceCondition.PodScheduled);
  if (scheduled?.status !== 'False') return undefined;
  const {message = ''} = scheduled;
  if (message.includes(unboundClaims) && [...claims.values()].some(({status}) => status?.phase !== 'Bound'))
    return undefined;
  return {
    type: InstanceCondition.PodScheduled,
    status: 'False',
    reason: schedulerReasons.find(word => word === scheduled.reason) ?? Reason.Unschedulable,
    ...(message === '' ? {} : {message}),
  };
};

/** The scheduler's words for a claim that should have been bound before it came. */
const unboundClaims = 'unbound immediate PersistentVolumeClaims';

const schedulerReasons = [Reason.Unschedulable, Reason.SchedulingGated, Reason.SchedulerError];

export const notSynchronized = ({reason, message}: Problem): Verdict => ({
  type: InstanceCondition.Synchronized,
  status: 'False',
  reason,
  message,
});
