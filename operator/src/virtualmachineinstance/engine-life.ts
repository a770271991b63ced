import {InstanceCondition, isFinal} from '@wherry/api';
import type {Pod} from '@wherry/kube';
import {isFalse} from '../conditions.ts';
import type {Instance} from '../objects.ts';
import {endingOf} from './ending.ts';

export interface Evidence {
  readonly vmi: Instance;
  /** The pod of this run as it is now, or as it was last seen before it went; undefined when nothing was seen. */
  readonly pod: Pod | undefined;
  /** The node of the run is gone from the API, or an admin has declared it out of service. */
  readonly nodeFenced: boolean;
}

/**
 * May an engine process of this run still live somewhere? While it may, the instance is not finished, keeps its
 * finalizer, and its machine gets no other: at most one engine per machine. Only evidence says no:
 *
 * - the run was never handed to a node (the daemon starts nothing before that);
 * - it is finished: the phase was written on one of the proofs below;
 * - the pod's one container was seen to have ended;
 * - the daemon of the node says that the launcher is gone;
 * - the node itself is fenced.
 */
export const engineMayLive = ({vmi, pod, nodeFenced}: Evidence): boolean => {
  const {status} = vmi;
  if ((status?.nodeName ?? '') === '') return false;
  if (isFinal(status?.phase)) return false;
  if (pod !== undefined && endingOf(pod, {wanted: false, handedOver: true}) !== undefined) return false;
  if (isFalse(status?.conditions, InstanceCondition.EngineActive)) return false;
  return !nodeFenced;
};
