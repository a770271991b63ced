import type {PrintableStatus} from './phases.ts';

export interface StatusEntry {
  readonly means: string;
  /** Why it does not occur yet, where it does not. */
  readonly never?: string;
}

/** What the words of `status.printableStatus` mean, in the order in which they are looked for: the first that holds is said. */
export const statusGuide: Readonly<Record<PrintableStatus, StatusEntry>> = {
  Terminating: {means: 'The machine is being deleted.'},
  Stopping: {means: 'Its run is on its way out: the guest shuts down, or its pod is being removed.'},
  Migrating: {means: 'The guest moves to another node.', never: 'there is no live migration yet'},
  Unknown: {
    means: 'The node of the guest is not heard of: the guest may run or not. The condition Ready says what to do.',
  },
  Paused: {means: 'The guest is there, and its vCPUs are stopped. The condition Paused says why.'},
  Running: {means: 'The guest runs.'},
  ErrorPvcNotFound: {means: 'A PersistentVolumeClaim of the machine does not exist.'},
  DataVolumeError: {means: 'A DataVolume failed.', never: 'DataVolumes are not supported'},
  ErrorUnschedulable: {
    means: 'No node fits, in the words of the scheduler (condition PodScheduled) or of the operator (Synchronized).',
  },
  Provisioning: {means: 'DataVolumes are being filled.', never: 'DataVolumes are not supported'},
  WaitingForVolumeBinding: {means: 'A PersistentVolumeClaim is not bound yet.'},
  ErrImagePull: {means: 'The image of a disk or kernel cannot be pulled.'},
  ImagePullBackOff: {means: 'The image of a disk or kernel could not be pulled, and is tried again later.'},
  Starting: {means: 'The run is being made, or waits for something that the conditions name.'},
  CrashLoopBackOff: {
    means: 'The guest ended before it ever ran. It is started again later; the condition Failure says what went wrong.',
  },
  Stopped: {means: 'Nothing runs.'},
  WaitingForReceiver: {
    means: 'The machine waits to be received from another cluster.',
    never: 'there is no live migration yet',
  },
};
