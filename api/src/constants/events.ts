/** Reasons of events, as KubeVirt has them, and what each tells. */

export const EventReason = {
  SuccessfulCreate: 'SuccessfulCreate',
  FailedCreate: 'FailedCreate',
  SuccessfulDelete: 'SuccessfulDelete',
  Created: 'Created',
  Started: 'Started',
  Paused: 'Paused',
  Resumed: 'Resumed',
  IoError: 'IOerror',
  EngineUnresponsive: 'EngineUnresponsive',
  EngineResponsive: 'EngineResponsive',
  EvictionRequested: 'EvictionRequested',
  NodeUnresponsive: 'NodeUnresponsive',
  NodeDaemonSilent: 'NodeDaemonSilent',
  NodeAnswers: 'NodeAnswers',
  ShuttingDown: 'ShuttingDown',
  Stopped: 'Stopped',
  Deleted: 'Deleted',
  SyncFailed: 'SyncFailed',
  ConfigRefused: 'ConfigurationRefused',
  ConfigReloaded: 'ConfigurationReloaded',
} as const;
export type EventReason = (typeof EventReason)[keyof typeof EventReason];

export interface EventEntry {
  /** Which objects carry it. */
  readonly on: readonly ('VirtualMachine' | 'VirtualMachineInstance' | 'ConfigMap')[];
  readonly type: 'Normal' | 'Warning' | 'either';
  readonly means: string;
}

const machine = ['VirtualMachine'] as const;
const instance = ['VirtualMachineInstance'] as const;
const both = [...machine, ...instance] as const;

/** In the order in which a run has them. */
export const eventGuide: Readonly<Record<EventReason, EventEntry>> = {
  [EventReason.SuccessfulCreate]: {
    on: both,
    type: 'Normal',
    means: 'The machine has got an instance; the instance has got a pod.',
  },
  [EventReason.FailedCreate]: {
    on: both,
    type: 'Warning',
    means: 'The API server refused the instance or the pod: a quota, a limit range, a policy.',
  },
  [EventReason.Created]: {
    on: instance,
    type: 'Normal',
    means: 'The node-daemon has handed the guest to its launcher.',
  },
  [EventReason.Started]: {on: instance, type: 'Normal', means: 'The guest runs.'},
  [EventReason.Paused]: {on: instance, type: 'Normal', means: 'The guest is paused: somebody wants it so.'},
  [EventReason.Resumed]: {on: instance, type: 'Normal', means: 'The guest runs on.'},
  [EventReason.IoError]: {
    on: instance,
    type: 'Warning',
    means: 'A disk could not be read or written, and the engine stopped the guest.',
  },
  [EventReason.EngineUnresponsive]: {
    on: instance,
    type: 'Warning',
    means: 'The engine does not answer: the guest is likely to stand still. It is left alone.',
  },
  [EventReason.EngineResponsive]: {on: instance, type: 'Normal', means: 'The engine answers again.'},
  [EventReason.EvictionRequested]: {
    on: instance,
    type: 'Normal',
    means: 'The node is being drained, and whoever handles the evictionStrategy External must act.',
  },
  [EventReason.SyncFailed]: {
    on: instance,
    type: 'Warning',
    means: 'The node-daemon could not do what the spec asks for; it tries again.',
  },
  [EventReason.NodeUnresponsive]: {
    on: both,
    type: 'Warning',
    means:
      'The node of the guest is not heard of: the message says what to do. The machine: its run was lost with its node.',
  },
  [EventReason.NodeDaemonSilent]: {
    on: instance,
    type: 'Warning',
    means: 'The node-daemon is not heard of, though its node is ready: the guest runs on.',
  },
  [EventReason.NodeAnswers]: {on: instance, type: 'Normal', means: 'The node is back, and the guest has run on.'},
  [EventReason.ShuttingDown]: {
    on: instance,
    type: 'Normal',
    means: 'The guest was asked to shut down.',
  },
  [EventReason.SuccessfulDelete]: {
    on: both,
    type: 'Normal',
    means: 'The machine was stopped by deleting its instance; the instance by deleting its pod.',
  },
  [EventReason.Stopped]: {on: instance, type: 'either', means: 'The guest has ended: the message says how.'},
  [EventReason.Deleted]: {on: instance, type: 'Normal', means: 'Nothing of the run is left.'},
  [EventReason.ConfigRefused]: {
    on: ['ConfigMap'],
    type: 'Warning',
    means: 'The configuration of the cluster is wrong: the message names the fields. The one before stays in force.',
  },
  [EventReason.ConfigReloaded]: {
    on: ['ConfigMap'],
    type: 'Normal',
    means: 'The configuration of the cluster was refused before, and is in force again.',
  },
};
