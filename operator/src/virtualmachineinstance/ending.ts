import {EndReason, endReasonOf, LauncherExit, type LauncherOutcome} from '@wherry/api';
import type {Pod} from '@wherry/kube';
import {isDeleting} from '../objects.ts';
import {type ComputeState, computeState, neverRan, podCondition} from './launcher-pod.ts';
import {startFailureText} from './start-remedies.ts';

/** How a run ended: the phase, the reason for `status.reason`, and a sentence for people. */
export interface Ending {
  readonly phase: 'Succeeded' | 'Failed';
  readonly reason: EndReason;
  readonly message: string;
}

/** What Kubernetes did to a pod that it ended. */
interface Disruption {
  readonly reason: EndReason;
  readonly message: string;
}

/** Kubernetes says in the pod's status, or in a condition, that it ended the pod: Evicted, PreemptionByScheduler… */
const disruptionOf = (pod: Pod): Disruption | undefined => {
  const target = podCondition(pod, 'DisruptionTarget');
  const {reason, message = ''} = (pod.status?.reason === undefined ? target : pod.status) ?? {};
  if (reason === undefined || (pod.status?.reason === undefined && target?.status !== 'True')) return undefined;
  const known = endReasonOf(reason);
  if (known === undefined) return {reason: EndReason.PodFailed, message: `${reason}: ${message}`};
  return {reason: known, message: known === EndReason.Evicted ? `${message}${evictionRemedy(message)}` : message};
};

/** A pod that nobody deletes is told to stop by its kubelet alone, which says so in an event and nowhere else. */
const probeFailed: Disruption = {reason: EndReason.LivenessProbeFailed, message: 'its liveness probe failed'};

/** What a guest writes to disks that end with its run counts as the pod's ephemeral storage. */
const evictionRemedy = (message: string): string =>
  /ephemeral|EmptyDir/i.test(message)
    ? ' Writes to containerDisk, ephemeral and emptyDisk volumes count: keep data on a PersistentVolumeClaim, or ask ' +
      'for ephemeral-storage in spec.domain.resources.requests.'
    : '';

/** Ends that somebody else has brought about: of a launcher that was told to stop, or was killed. */
const isFromOutside = ({exitCode, reason}: Exited): boolean => {
  const outcome = outcomes.get(exitCode);
  if (reason === outOfMemory || notExecuted.has(reason)) return false;
  return (
    outcome === undefined ||
    outcome === 'ShutDownOnRequest' ||
    outcome === 'KilledAfterGrace' ||
    outcome === 'StoppedBeforeStart'
  );
};

/**
 * The container was stopped from outside although nobody deletes its pod, and why is still to be said: a kubelet tells that a
 * container has ended before it calls the pod failed, and only with the latter that it has evicted it.
 */
export const causeIsToCome = (pod: Pod): boolean => {
  const state = computeState(pod);
  if (state.at !== 'ended' || !isFromOutside(state) || isDeleting(pod)) return false;
  return disruptionOf(pod) === undefined && pod.status?.phase === 'Running';
};

/** What the meaning of a pod's end depends on. */
export interface RunState {
  /**
   * The instance is being deleted: a guest that was shut down by its pod being deleted has succeeded only then.
   * Otherwise it was evicted or its pod was deleted by hand, and its machine must run again.
   */
  readonly wanted: boolean;
  /** The pod was handed to the daemon of its node, so an engine may have been started in it. */
  readonly handedOver: boolean;
  /** The instance has a liveness probe. Defaults to false. */
  readonly probed?: boolean;
}

/** How the run of this pod ended, or undefined while its engine may still live there. */
export const endingOf = (pod: Pod, {wanted, handedOver, probed = false}: RunState): Ending | undefined => {
  const state = computeState(pod);
  switch (state.at) {
    case 'ended':
      return exitEnding(state, disruptionOf(pod) ?? (probed && !isDeleting(pod) ? probeFailed : undefined), wanted);
    case 'running':
      return undefined;
    case 'waiting':
      // A kubelet that restarts may refuse a pod whose container still runs: then only the container's end counts.
      return !handedOver && neverRan(pod) ? refused(pod) : undefined;
  }
};

/**
 * The end of a run whose container left no word, once it is certain that no engine is left. A kubelet that evicts a pod says
 * so before it says how the container ended, and the node-daemon may be quicker than that.
 */
export const vanished = (pod: Pod | undefined): Ending => {
  const lost = {reason: EndReason.PodLost, message: 'the pod of the guest was lost, and no engine is left on its node'};
  const cause = pod === undefined ? undefined : disruptionOf(pod);
  return {phase: 'Failed', ...lost, ...(cause === undefined || cause.message === '' ? {} : cause)};
};

const outcomes = new Map<number, LauncherOutcome>(
  Object.entries(LauncherExit).map(([outcome, code]) => [code, outcome as LauncherOutcome]),
);

const exitEnding = (state: Exited, disruption: Disruption | undefined, wanted: boolean): Ending => {
  const say = (text: string): string => (state.message === '' ? text : `${text}: ${state.message}`);
  // The kernel kills the engine, the launcher, or both: whatever is left to say of it, this is the cause.
  if (state.reason === outOfMemory) return {phase: 'Failed', reason: EndReason.OomKilled, message: say(oomKilled)};
  const outcome = outcomes.get(state.exitCode);
  switch (outcome) {
    case undefined:
      return fromOutside(state, disruption, say);
    case 'PoweredOff':
      return {phase: 'Succeeded', reason: outcome, message: say('the guest powered itself off')};
    case 'ShutDownOnRequest':
      return stopped(wanted, outcome, disruption, say('the guest shut down because its pod was stopped'));
    case 'KilledAfterGrace':
      return stopped(wanted, outcome, disruption, say('the guest was killed when its grace period was over'));
    case 'StoppedBeforeStart':
      return stopped(wanted, outcome, disruption, say('the pod was stopped before the guest started'));
    case 'GuestRebooted':
      // As in KubeVirt: a reboot that ends the run is the guest's own, orderly end of it.
      return {phase: 'Succeeded', reason: outcome, message: say('the guest rebooted, which its rebootPolicy ends')};
    case 'GuestPanicked':
      return {phase: 'Failed', reason: outcome, message: say('the guest panicked')};
    case 'EngineCrashed':
      return {phase: 'Failed', reason: outcome, message: say('the engine crashed')};
    case 'StartFailed':
      return {phase: 'Failed', reason: outcome, message: startFailureText(say('the guest could not be started'))};
    case 'WatchdogExpired':
      // As in KubeVirt: RerunOnFailure starts such a guest again.
      return {phase: 'Failed', reason: outcome, message: say('the watchdog of the guest powered it off')};
    case 'LauncherFailed':
      return {phase: 'Failed', reason: outcome, message: say('the launcher failed')};
  }
};

type Exited = ComputeState & {readonly at: 'ended'};

/** The kubelet's word for a container that the kernel ended for its memory. */
const outOfMemory = 'OOMKilled';
const oomKilled =
  'the pod used more memory than its limit: raise spec.domain.resources.limits.memory or leave it out, or lower ' +
  'spec.domain.memory.guest';

/** Kubernetes's words for a container whose program could not be executed. */
const notExecuted = new Set(['StartError', 'ContainerCannotRun']);

/** The launcher did not end by itself. */
const fromOutside = (
  {exitCode, reason}: Exited,
  disruption: Disruption | undefined,
  say: (text: string) => string,
): Ending => {
  if (notExecuted.has(reason))
    return {phase: 'Failed', reason: EndReason.StartFailed, message: say('the container could not be started')};
  const message = say(`the launcher ended with exit code ${exitCode}`);
  return disruption === undefined
    ? {phase: 'Failed', reason: EndReason.LauncherKilled, message}
    : {phase: 'Failed', ...withCause(disruption, message)};
};

const stopped = (wanted: boolean, outcome: EndReason, cause: Disruption | undefined, message: string): Ending => ({
  phase: wanted ? 'Succeeded' : 'Failed',
  ...(cause === undefined ? {reason: outcome, message} : withCause(cause, message)),
});

const withCause = ({reason, message: why}: Disruption, message: string): Disruption => ({
  reason,
  message: why === '' ? message : `${message}: ${why}`,
});

/** The kubelet refused the pod before its container ran. */
const refused = (pod: Pod): Ending => {
  const {reason, message} = disruptionOf(pod) ?? {reason: EndReason.PodFailed, message: ''};
  return {phase: 'Failed', reason, message: message === '' ? 'the pod failed before its container ran' : message};
};
