import {EndReason} from './reasons.ts';

/** How runs end: what `status.reason` of an instance says, and the phase that it ends in. */
export const endGuide: Readonly<
  Record<EndReason, {readonly phase: readonly ('Succeeded' | 'Failed')[]; readonly means: string}>
> = {
  [EndReason.PoweredOff]: {phase: ['Succeeded'], means: 'The guest powered itself off.'},
  [EndReason.ShutDownOnRequest]: {
    phase: ['Succeeded', 'Failed'],
    means: 'The guest shut down when its pod was stopped. Failed where nobody had asked for the end of the run.',
  },
  [EndReason.KilledAfterGrace]: {
    phase: ['Succeeded', 'Failed'],
    means: 'The guest did not shut down within terminationGracePeriodSeconds and was killed.',
  },
  [EndReason.StoppedBeforeStart]: {
    phase: ['Succeeded', 'Failed'],
    means: 'The pod was stopped before the guest had started.',
  },
  [EndReason.GuestRebooted]: {
    phase: ['Succeeded'],
    means: 'The guest rebooted, and its rebootPolicy is Terminate.',
  },
  [EndReason.GuestPanicked]: {phase: ['Failed'], means: 'The kernel of the guest panicked.'},
  [EndReason.EngineCrashed]: {phase: ['Failed'], means: 'The engine crashed or was killed.'},
  [EndReason.StartFailed]: {phase: ['Failed'], means: 'The guest could not be started: the message says at what.'},
  [EndReason.LauncherFailed]: {phase: ['Failed'], means: 'The launcher itself failed.'},
  [EndReason.WatchdogExpired]: {
    phase: ['Failed'],
    means: 'The guest did not feed its watchdog, and was powered off.',
  },
  [EndReason.LauncherKilled]: {phase: ['Failed'], means: 'The container was killed from outside.'},
  [EndReason.LivenessProbeFailed]: {
    phase: ['Failed'],
    means: 'The kubelet ended the guest because its livenessProbe failed.',
  },
  [EndReason.OomKilled]: {phase: ['Failed'], means: 'The pod used more memory than its limit.'},
  [EndReason.PodLost]: {phase: ['Failed'], means: 'The pod is gone without a word, and so is its engine.'},
  [EndReason.PodFailed]: {phase: ['Failed'], means: 'The pod failed for another reason, which the message gives.'},
  [EndReason.NodeUnresponsive]: {
    phase: ['Failed'],
    means: 'Its node was lost and fenced: it was declared out of service, or its Node object was deleted.',
  },
  [EndReason.Evicted]: {phase: ['Failed'], means: 'The kubelet evicted the pod: the node ran short of something.'},
  [EndReason.EvictionByEvictionApi]: {phase: ['Failed'], means: 'The pod was evicted on request, as by kubectl drain.'},
  [EndReason.DeletionByTaintManager]: {phase: ['Failed'], means: 'A taint of the node drove the pod off.'},
  [EndReason.PreemptionByScheduler]: {phase: ['Failed'], means: 'A pod of higher priority took the place.'},
  [EndReason.TerminationByKubelet]: {
    phase: ['Failed'],
    means: 'The kubelet stopped the pod, as when its node shuts down.',
  },
  [EndReason.NodeAffinity]: {phase: ['Failed'], means: 'The node does not fit the pod any more.'},
  [EndReason.OutOfCpu]: {phase: ['Failed'], means: 'The node had not enough CPU when the pod came.'},
  [EndReason.OutOfMemory]: {phase: ['Failed'], means: 'The node had not enough memory when the pod came.'},
  [EndReason.OutOfPods]: {phase: ['Failed'], means: 'The node had too many pods when the pod came.'},
  [EndReason.UnexpectedAdmissionError]: {phase: ['Failed'], means: 'The kubelet refused the pod.'},
};
