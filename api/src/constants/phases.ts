/** The words that phases and statuses are made of, as KubeVirt has them. */

/** Life of an instance. Absent before the operator has seen it. */
export const instancePhases = [
  'Pending',
  'Scheduling',
  'Scheduled',
  'Running',
  'Succeeded',
  'Failed',
  'WaitingForSync',
  'Unknown',
] as const;
export type InstancePhase = (typeof instancePhases)[number];

export const Phase = {
  /** No pod yet. */
  Pending: 'Pending',
  /** The pod waits for a node or for its container. */
  Scheduling: 'Scheduling',
  /** The pod runs: from here the node-daemon of `status.nodeName` acts. */
  Scheduled: 'Scheduled',
  Running: 'Running',
  /** The guest shut down, or was shut down on request. */
  Succeeded: 'Succeeded',
  /** The guest panicked, or its engine or pod was lost. */
  Failed: 'Failed',
  /** The node of the guest is not heard of. From here its daemon says Running again, or the run ends. */
  Unknown: 'Unknown',
} as const satisfies Record<string, InstancePhase>;

/** An instance in one of these phases runs no more and never will again. */
export const isFinal = (phase: InstancePhase | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

/** The one word that a person reads for a VirtualMachine. */
export const printableStatuses = [
  'Stopped',
  'Provisioning',
  'Starting',
  'Running',
  'Paused',
  'Stopping',
  'Terminating',
  'CrashLoopBackOff',
  'Migrating',
  'Unknown',
  'ErrorUnschedulable',
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrorPvcNotFound',
  'DataVolumeError',
  'WaitingForVolumeBinding',
  'WaitingForReceiver',
] as const;
export type PrintableStatus = (typeof printableStatuses)[number];

/** When a VirtualMachine should have a running instance. */
export const runStrategies = ['Always', 'Halted', 'RerunOnFailure', 'Once', 'Manual'] as const;
export type RunStrategy = (typeof runStrategies)[number];

/** What is asked of a VirtualMachine beside its run strategy. */
export const stateChangeActions = ['Start', 'Stop'] as const;
export type StateChangeAction = (typeof stateChangeActions)[number];

export const volumePhases = ['Pending', 'Bound', 'MountedToPod', 'Ready', 'Detaching'] as const;
export type VolumePhase = (typeof volumePhases)[number];
