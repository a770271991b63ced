import {LauncherExit, type LauncherOutcome, Reason} from '@wherry/api';
import type {Pod} from '@wherry/kube';
import {computeState, neverRan, podCondition} from './launcher-pod.ts';

/** How a run ended: the phase, the reason for `status.reason`, and a sentence for people. */
export interface Ending {
  readonly phase: 'Succeeded' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

/** Why the pod is going or gone, where Kubernetes ended it: Evicted, PreemptionByScheduler, EvictionByEvictionAPI… */
const disruption = (pod: Pod): string | undefined => {
  const target = podCondition(pod, 'DisruptionTarget');
  return pod.status?.reason ?? (target?.status === 'True' ? target.reason : undefined);
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
}

/** How the run of this pod ended, or undefined while its engine may still live there. */
export const endingOf = (pod: Pod, {wanted, handedOver}: RunState): Ending | undefined => {
  const state = computeState(pod);
  switch (state.at) {
    case 'ended':
      return exitEnding(state, disruption(pod), wanted);
    case 'running':
      return undefined;
    case 'waiting':
      // A kubelet that restarts may refuse a pod whose container still runs: then only the container's end counts.
      return !handedOver && neverRan(pod) ? refused(pod) : undefined;
  }
};

/** The end of a run whose pod left no word, once it is certain that no engine is left. */
export const vanished: Ending = {
  phase: 'Failed',
  reason: Reason.PodLost,
  message: 'the pod of the guest was lost, and no engine is left on its node',
};

const outcomes = new Map<number, LauncherOutcome>(
  Object.entries(LauncherExit).map(([outcome, code]) => [code, outcome as LauncherOutcome]),
);

const exitEnding = (
  state: {readonly exitCode: number; readonly reason: string; readonly message: string},
  podReason: string | undefined,
  wanted: boolean,
): Ending => {
  const outcome = outcomes.get(state.exitCode);
  const say = (text: string): string => (state.message === '' ? text : `${text}: ${state.message}`);
  if (outcome === undefined)
    return {
      phase: 'Failed',
      reason: podReason ?? (state.reason === '' ? 'LauncherKilled' : state.reason),
      message: say(`the launcher ended with exit code ${state.exitCode}`),
    };
  switch (outcome) {
    case 'PoweredOff':
      return {phase: 'Succeeded', reason: outcome, message: say('the guest powered itself off')};
    case 'ShutDownOnRequest':
      return stopped(wanted, outcome, podReason, say('the guest shut down because its pod was stopped'));
    case 'KilledAfterGrace':
      return stopped(wanted, outcome, podReason, say('the guest was killed when its grace period was over'));
    case 'StoppedBeforeStart':
      return stopped(wanted, outcome, podReason, say('the pod was stopped before the guest started'));
    case 'GuestPanicked':
      return {phase: 'Failed', reason: outcome, message: say('the guest panicked')};
    case 'EngineCrashed':
      return {phase: 'Failed', reason: outcome, message: say('the engine crashed')};
    case 'StartFailed':
      return {phase: 'Failed', reason: outcome, message: say('the guest could not be started')};
    case 'LauncherFailed':
      return {phase: 'Failed', reason: outcome, message: say('the launcher failed')};
  }
};

const stopped = (wanted: boolean, outcome: string, podReason: string | undefined, message: string): Ending => ({
  phase: wanted ? 'Succeeded' : 'Failed',
  reason: podReason ?? outcome,
  message,
});

const refused = (pod: Pod): Ending => ({
  phase: 'Failed',
  reason: pod.status?.reason ?? 'PodFailed',
  message: pod.status?.message ?? 'the pod failed before its container ran',
});
