import type {Pod} from '@wherry/kube';
import {InstanceCondition} from '@wherry/api';
import type {Verdict} from '../conditions.ts';
import {computeState, podCondition} from './launcher-pod.ts';
import type {Problem} from './start-checks.ts';

/** What a container waits for when nothing is wrong. */
const ordinary = new Set(['', 'ContainerCreating', 'PodInitializing']);

/** Why the container does not start, in the kubelet's words: ErrImagePull, ImagePullBackOff, CreateContainerError… */
export const containerProblem = (pod: Pod): Problem | undefined => {
  const state = computeState(pod);
  if (state.at !== 'waiting' || ordinary.has(state.reason)) return undefined;
  return {reason: state.reason, message: state.message};
};

/** The scheduler's complaint, shown on the instance for as long as it stands. */
export const unscheduled = (pod: Pod): Verdict | undefined => {
  const scheduled = podCondition(pod, podScheduled);
  if (scheduled?.status !== 'False') return undefined;
  return {
    type: podScheduled,
    status: 'False',
    ...(scheduled.reason === undefined ? {} : {reason: scheduled.reason}),
    ...(scheduled.message === undefined ? {} : {message: scheduled.message}),
  };
};

/** The pod's own condition, under its own name, as KubeVirt mirrors it. */
export const podScheduled = 'PodScheduled';

export const notSynchronized = ({reason, message}: Problem): Verdict => ({
  type: InstanceCondition.Synchronized,
  status: 'False',
  reason,
  message,
});
