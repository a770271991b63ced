/** Reasons of conditions, and of the end of a run. They are part of the API: programs match them. */

/** Reasons of conditions. Which condition has which, and what it means, stands in condition-guide.ts. */
export const Reason = {
  // Ready=True
  GuestRunning: 'GuestRunning',
  // Ready=False of an instance
  GuestNotRunning: 'GuestNotRunning',
  GuestPaused: 'GuestPaused',
  PodTerminating: 'PodTerminating',
  PodNotExists: 'PodNotExists',
  PodConditionMissing: 'PodConditionMissing',
  PodNotReady: 'PodNotReady',
  ContainersNotReady: 'ContainersNotReady',
  ReadinessGatesNotReady: 'ReadinessGatesNotReady',
  PodCompleted: 'PodCompleted',
  NodeUnresponsive: 'NodeUnresponsive',
  // the same, and wherry.dev/EngineActive=Unknown
  EngineUnresponsive: 'EngineUnresponsive',
  // Ready=False of a machine
  VmiNotExists: 'VMINotExists',
  // PodScheduled=False
  Unschedulable: 'Unschedulable',
  SchedulingGated: 'SchedulingGated',
  SchedulerError: 'SchedulerError',
  // Synchronized=False and Failure=True
  NotSupported: 'NotSupported',
  // Synchronized=False: no pod
  PvcNotFound: 'FailedPvcNotFound',
  UnsupportedEngine: 'UnsupportedEngine',
  NoUsableKvm: 'NoUsableKVM',
  NoNodeWithCpu: 'NoNodeWithCPU',
  CpuNotEmulated: 'CPUNotEmulated',
  UnknownTimeZone: 'UnknownTimeZone',
  FailedCreate: 'FailedCreate',
  // Synchronized=False: the pod does not start
  ErrImagePull: 'ErrImagePull',
  ImagePullBackOff: 'ImagePullBackOff',
  ErrImageNeverPull: 'ErrImageNeverPull',
  InvalidImageName: 'InvalidImageName',
  ContainerNotStarted: 'ContainerNotStarted',
  SecretNotFound: 'SecretNotFound',
  ConfigMapNotFound: 'ConfigMapNotFound',
  FailedMount: 'FailedMount',
  FailedAttachVolume: 'FailedAttachVolume',
  VolumeNotBound: 'VolumeNotBound',
  // Synchronized=False: the guest does not start in its pod
  StartFailed: 'StartFailed',
  // Paused=True
  PausedByUser: 'PausedByUser',
  PausedIoError: 'PausedIOError',
  // SoftwareEmulation=True
  NoHardwareVirtualization: 'NoHardwareVirtualization',
  // wherry.dev/EngineActive
  EngineStarted: 'EngineStarted',
  EngineExited: 'EngineExited',
  PodGone: 'PodGone',
  // wherry.dev/NodeDaemonReady=False
  NodeDaemonSilent: 'NodeDaemonSilent',
  // AgentConnected
  AgentAnswers: 'AgentAnswers',
  AgentSilent: 'AgentSilent',
  // RestartRequired=True
  SpecChanged: 'SpecChanged',
} as const;

/**
 * How a run ended: `status.reason` of an instance that Succeeded or Failed. Those down to LauncherFailed are the
 * launcher's outcomes; what Kubernetes did to the pod has Kubernetes's word. What each means stands in end-guide.ts.
 */
export const EndReason = {
  PoweredOff: 'PoweredOff',
  ShutDownOnRequest: 'ShutDownOnRequest',
  KilledAfterGrace: 'KilledAfterGrace',
  StoppedBeforeStart: 'StoppedBeforeStart',
  GuestRebooted: 'GuestRebooted',
  GuestPanicked: 'GuestPanicked',
  EngineCrashed: 'EngineCrashed',
  StartFailed: 'StartFailed',
  LauncherFailed: 'LauncherFailed',
  WatchdogExpired: 'WatchdogExpired',
  LauncherKilled: 'LauncherKilled',
  LivenessProbeFailed: 'LivenessProbeFailed',
  OomKilled: 'OOMKilled',
  PodLost: 'PodLost',
  PodFailed: 'PodFailed',
  NodeUnresponsive: 'NodeUnresponsive',
  Evicted: 'Evicted',
  EvictionByEvictionApi: 'EvictionByEvictionAPI',
  DeletionByTaintManager: 'DeletionByTaintManager',
  PreemptionByScheduler: 'PreemptionByScheduler',
  TerminationByKubelet: 'TerminationByKubelet',
  NodeAffinity: 'NodeAffinity',
  OutOfCpu: 'OutOfcpu',
  OutOfMemory: 'OutOfmemory',
  OutOfPods: 'OutOfpods',
  UnexpectedAdmissionError: 'UnexpectedAdmissionError',
} as const;
export type EndReason = (typeof EndReason)[keyof typeof EndReason];

/** What a condition may have as its reason; the Failure of a machine says how its run ended. */
export type ConditionReason = (typeof Reason)[keyof typeof Reason] | EndReason;

const endReasons: ReadonlySet<string> = new Set(Object.values(EndReason));

/** The word itself where it is one of the list, for what others (kubelet, scheduler) say. */
export const endReasonOf = (word: string | undefined): EndReason | undefined =>
  word !== undefined && endReasons.has(word) ? (word as EndReason) : undefined;
