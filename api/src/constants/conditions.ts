/** Types of conditions and their reasons. Reasons are part of the API: programs match them. */

/** Conditions of a VirtualMachineInstance. Who writes each stands beside it. */
export const InstanceCondition = {
  /** The guest runs and its pod is ready. Operator before and after the run, node-daemon while it runs. */
  Ready: 'Ready',
  /** What the guest needs is being made. Operator. */
  Provisioning: 'Provisioning',
  /** What the spec says has been carried out. Operator and node-daemon; its message says why not. */
  Synchronized: 'Synchronized',
  /** The guest agent answers. Node-daemon. */
  AgentConnected: 'AgentConnected',
  /** The guest's vCPUs are stopped. Node-daemon. */
  Paused: 'Paused',
  /** The guest can move to another node while it runs. Operator. */
  LiveMigratable: 'LiveMigratable',
  /** The guest runs by software emulation, slowly: no node that fits has a usable KVM. Operator. */
  SoftwareEmulation: 'SoftwareEmulation',
  /**
   * An engine process may exist on the node. Node-daemon: True in the same write as phase Running at the latest, False
   * once the launcher of the active pod is certainly gone. Nothing may run the VM again while it is True.
   */
  EngineActive: 'wherry.dev/EngineActive',
} as const;
export type InstanceConditionType = (typeof InstanceCondition)[keyof typeof InstanceCondition];

/** Conditions of a VirtualMachine. Written by the operator. */
export const MachineCondition = {
  /** Its instance is ready. */
  Ready: 'Ready',
  /** The last thing that the operator tried for it failed. */
  Failure: 'Failure',
  /** Its instance is paused. */
  Paused: 'Paused',
  /** The template has changes that the running guest does not have. */
  RestartRequired: 'RestartRequired',
} as const;
export type MachineConditionType = (typeof MachineCondition)[keyof typeof MachineCondition];

export const Reason = {
  // Ready=False of an instance
  PodTerminating: 'PodTerminating',
  PodNotExists: 'PodNotExists',
  PodConditionMissing: 'PodConditionMissing',
  GuestNotRunning: 'GuestNotRunning',
  // Ready=False of a machine
  VmiNotExists: 'VMINotExists',
  // Provisioning and Synchronized
  Unschedulable: 'Unschedulable',
  NoUsableKvm: 'NoUsableKVM',
  PvcNotFound: 'PvcNotFound',
  FailedCreatePod: 'FailedCreate',
  ErrImagePull: 'ErrImagePull',
  ImagePullBackOff: 'ImagePullBackOff',
  StartFailed: 'StartFailed',
  // Synchronized, and Failure of a machine
  NotSupported: 'NotSupported',
  // SoftwareEmulation=True
  NoHardwareVirtualization: 'NoHardwareVirtualization',
  // wherry.dev/EngineActive
  EngineStarted: 'EngineStarted',
  EngineExited: 'EngineExited',
  PodGone: 'PodGone',
  // AgentConnected
  AgentAnswers: 'AgentAnswers',
  AgentSilent: 'AgentSilent',
  // Failure of a machine
  FailedCreate: 'FailedCreate',
  FailedDelete: 'FailedDelete',
  // RestartRequired=True
  SpecChanged: 'SpecChanged',
  // status.reason of a Failed instance
  GuestPanicked: 'GuestPanicked',
  EngineCrashed: 'EngineCrashed',
  LauncherFailed: 'LauncherFailed',
  PodLost: 'PodLost',
} as const;

/** Reasons of events, as KubeVirt has them. */
export const EventReason = {
  SuccessfulCreate: 'SuccessfulCreate',
  FailedCreate: 'FailedCreate',
  SuccessfulDelete: 'SuccessfulDelete',
  FailedDelete: 'FailedDelete',
  Created: 'Created',
  Started: 'Started',
  Stopped: 'Stopped',
  ShuttingDown: 'ShuttingDown',
  Deleted: 'Deleted',
  SyncFailed: 'SyncFailed',
  FailedPvcNotFound: 'FailedPvcNotFound',
  GuestPanicked: 'GuestPanicked',
  NoUsableKvm: 'NoUsableKVM',
} as const;
