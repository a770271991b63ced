import {PodLayout} from '@wherry/api';
import type {Pod} from '@wherry/kube';

/** What a VM pod says about its one container. */
export type ComputeState =
  | {readonly at: 'waiting'; readonly reason: string; readonly message: string}
  | {readonly at: 'running'; readonly image: string}
  /** The launcher is PID 1 of the container: when it has ended, no engine of this pod lives. */
  | {readonly at: 'ended'; readonly exitCode: number; readonly reason: string; readonly message: string};

/** The kubelet makes this state up for a container that it lost sight of: it proves nothing. */
const lostTrack = 'ContainerStatusUnknown';

export const computeState = (pod: Pod): ComputeState => {
  const status = pod.status?.containerStatuses?.find(container => container.name === PodLayout.container);
  const {terminated, running, waiting} = status?.state ?? {};
  if (terminated !== undefined && terminated.reason !== lostTrack)
    return {
      at: 'ended',
      exitCode: terminated.exitCode,
      reason: terminated.reason ?? '',
      message: (terminated.message ?? '').trim(),
    };
  if (running !== undefined) return {at: 'running', image: status?.image ?? ''};
  return {at: 'waiting', reason: waiting?.reason ?? '', message: waiting?.message ?? ''};
};

/**
 * The pod can do nothing any more although its container never ran: the kubelet refused it, or it was evicted before.
 * A pod that ran must show how its container ended.
 */
export const neverRan = (pod: Pod): boolean =>
  (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') &&
  (pod.status.containerStatuses ?? []).every(
    ({state}) => state?.terminated === undefined && state?.running === undefined,
  );

export const podCondition = (
  pod: Pod,
  type: string,
):
  | {readonly status: string; readonly reason?: string; readonly message?: string; readonly lastTransitionTime?: string}
  | undefined => pod.status?.conditions?.find(condition => condition.type === type);
