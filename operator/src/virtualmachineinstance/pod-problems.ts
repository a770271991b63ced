import type {Pod} from '@wherry/kube';
import {InstanceCondition, Reason} from '@wherry/api';
import type {Verdict} from '../conditions.ts';
import {computeState, podCondition} from './launcher-pod.ts';
import type {Problem} from './start-checks.ts';

/** What a container waits for when nothing is wrong. */
const ordinary = new Set(['', 'ContainerCreating', 'PodInitializing']);

/** Why the container does not start, in the kubelet's words: ErrImagePull, ImagePullBackOff, CreateContainerError… */
export const containerProblem = (pod: Pod): Problem | undefined => {
  const state = computeState(pod);
  if (state.at !== 'waiting' || ordinary.has(state.reason)) return undefined;
  const reason = imageReasons.find(word => word === state.reason);
  if (reason !== undefined) return {reason, message: state.message};
  return {reason: Reason.ContainerNotStarted, message: `${state.reason}: ${state.message}`};
};

/** The kubelet's words about images that it has not got. */
const imageReasons = [Reason.ErrImagePull, Reason.ImagePullBackOff, Reason.ErrImageNeverPull, Reason.InvalidImageName];

/** The scheduler's complaint, shown on the instance for as long as it stands. */
export const unscheduled = (pod: Pod): Verdict | undefined => {
  const scheduled = podCondition(pod, InstanceCondition.PodScheduled);
  if (scheduled?.status !== 'False') return undefined;
  return {
    type: InstanceCondition.PodScheduled,
    status: 'False',
    reason: schedulerReasons.find(word => word === scheduled.reason) ?? Reason.Unschedulable,
    ...(scheduled.message === undefined ? {} : {message: scheduled.message}),
  };
};

const schedulerReasons = [Reason.Unschedulable, Reason.SchedulingGated, Reason.SchedulerError];

export const notSynchronized = ({reason, message}: Problem): Verdict => ({
  type: InstanceCondition.Synchronized,
  status: 'False',
  reason,
  message,
});
