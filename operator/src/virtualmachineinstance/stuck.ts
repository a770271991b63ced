import {InstanceCondition} from '@wherry/api';
import type {PersistentVolumeClaim, Pod} from '@wherry/kube';
import {isDeleting} from '../objects.ts';
import {computeState, neverRan, podCondition} from './launcher-pod.ts';

/** An object whose events may tell why a run does not get going. */
export interface Suspect {
  readonly kind: 'Pod' | 'PersistentVolumeClaim';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A pod that waits without saying for what. */
export interface Stuck {
  readonly podUid: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly suspects: readonly Suspect[];
}

/** What a container waits for when nothing is wrong. */
export const ordinaryWaits: ReadonlySet<string> = new Set(['', 'ContainerCreating', 'PodInitializing']);

const waitsInSilence = (pod: Pod): boolean => {
  const state = computeState(pod);
  return state.at === 'waiting' && ordinaryWaits.has(state.reason) && !neverRan(pod) && !isDeleting(pod);
};

/**
 * What may hold a pod up that says nothing itself. On its node that is the kubelet's work on it: volumes and network.
 * Before that, only claims that are not bound: for everything else the scheduler speaks.
 */
export const stuckOf = (pod: Pod, claims: ReadonlyMap<string, PersistentVolumeClaim>): Stuck | undefined => {
  const {uid, creationTimestamp} = pod.metadata;
  if (uid === undefined || !waitsInSilence(pod)) return undefined;
  const placed = pod.spec?.nodeName !== undefined;
  const suspects = placed
    ? [suspect('Pod', pod)]
    : unbound(claims).map(claim => suspect('PersistentVolumeClaim', claim));
  if (suspects.length === 0) return undefined;
  const since = placed
    ? (podCondition(pod, InstanceCondition.PodScheduled)?.lastTransitionTime ?? creationTimestamp)
    : creationTimestamp;
  return {podUid: uid, since: Date.parse(since ?? '') || 0, suspects};
};

const unbound = (claims: ReadonlyMap<string, PersistentVolumeClaim>): PersistentVolumeClaim[] =>
  [...claims.values()].filter(({status}) => status?.phase !== 'Bound');

const suspect = (kind: Suspect['kind'], {metadata}: Pod | PersistentVolumeClaim): Suspect => ({
  kind,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
});
