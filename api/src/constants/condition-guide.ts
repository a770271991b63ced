/** What conditions and their reasons mean: the list that the reference shows and that tests hold what is written against. */
import {type ConditionType, InstanceCondition, MachineCondition} from './conditions.ts';
import {endGuide} from './end-guide.ts';
import {type ConditionReason, type EndReason, Reason} from './reasons.ts';

/** What a condition says, by its reason. */
type Meanings = Partial<Record<ConditionReason, string>>;

export interface ConditionEntry {
  readonly type: ConditionType;
  readonly on: readonly ('VirtualMachine' | 'VirtualMachineInstance')[];
  readonly means: string;
  readonly reasons: {readonly True?: Meanings; readonly False?: Meanings; readonly Unknown?: Meanings};
}

const both = ['VirtualMachine', 'VirtualMachineInstance'] as const;
const instanceOnly = ['VirtualMachineInstance'] as const;
const machineOnly = ['VirtualMachine'] as const;

/** The last run failed, and the machine has none that is better. */
const failedEnds: Meanings = Object.fromEntries(
  Object.entries(endGuide)
    .filter(([, {phase}]) => phase.includes('Failed'))
    .map(([reason, {means}]) => [reason as EndReason, means]),
);

/** Conditions of an instance are copied up to its machine, but for the one that is the system's own. */
export const conditionGuide: readonly ConditionEntry[] = [
  {
    type: InstanceCondition.Ready,
    on: both,
    means: 'The guest runs and its pod is ready.',
    reasons: {
      True: {[Reason.GuestRunning]: 'The guest runs.'},
      False: {
        [Reason.GuestNotRunning]: 'The guest is being started, cannot be started as the message says, or has ended.',
        [Reason.GuestPaused]: 'The guest is paused.',
        [Reason.EngineUnresponsive]: 'The engine does not answer: the guest is likely to stand still.',
        [Reason.PodTerminating]: 'The pod is being deleted: the guest is shutting down.',
        [Reason.PodNotExists]:
          'The pod is gone, and nobody has said yet that its engine is. Nothing is started before that is known.',
        [Reason.PodConditionMissing]: 'The pod does not say yet whether it is ready.',
        [Reason.ContainersNotReady]: 'The pod is not ready: a probe fails, or its container has ended.',
        [Reason.ReadinessGatesNotReady]: 'A readiness gate of the pod is not met.',
        [Reason.PodCompleted]: 'The container of the pod has ended.',
        [Reason.PodNotReady]: 'The pod is not ready for another reason, which the message gives.',
        [Reason.NodeUnresponsive]:
          'Neither the kubelet nor the node-daemon of its node is heard of, or its node is back and has not told of the guest yet. The message says what to do. Nothing is started elsewhere before the node is fenced.',
        [Reason.VmiNotExists]: 'The machine has no run.',
      },
    },
  },
  {
    type: InstanceCondition.PodScheduled,
    on: both,
    means: 'The pod has a node. It is only there while it is False, in the words of the scheduler.',
    reasons: {
      False: {
        [Reason.Unschedulable]: 'No node fits.',
        [Reason.SchedulingGated]: 'A scheduling gate holds the pod back.',
        [Reason.SchedulerError]: 'The scheduler failed and tries again.',
      },
    },
  },
  {
    type: InstanceCondition.Synchronized,
    on: both,
    means:
      'What the spec asks for is so. It is only there while it is False: the message says what is missing and what to do.',
    reasons: {
      False: {
        [Reason.NotSupported]: 'The spec was stored by an older version and asks for something that is not supported.',
        [Reason.PvcNotFound]: 'A PersistentVolumeClaim does not exist.',
        [Reason.UnsupportedEngine]:
          'The annotation wherry.dev/engine names an engine that is not there, or that cannot run this machine.',
        [Reason.NoUsableKvm]: 'No node that fits has a usable KVM, and software emulation is not allowed.',
        [Reason.NoNodeWithCpu]: 'No node that fits and has a usable KVM has the CPU that the guest needs.',
        [Reason.CpuNotEmulated]: 'The guest requires a CPU feature that software emulation lacks.',
        [Reason.UnknownTimeZone]: 'The clock is set to a time zone that nobody knows.',
        [Reason.FailedCreate]: 'The API server refuses the pod: a quota, a limit range or a policy.',
        [Reason.ErrImagePull]: 'An image cannot be pulled.',
        [Reason.ImagePullBackOff]: 'An image cannot be pulled, and is tried again later.',
        [Reason.ErrImageNeverPull]: 'An image is not on the node, and its pull policy is Never.',
        [Reason.InvalidImageName]: 'The name of an image is none.',
        [Reason.ContainerNotStarted]: 'The container of the pod cannot be started.',
        [Reason.SecretNotFound]: 'A Secret that the pod mounts does not exist.',
        [Reason.ConfigMapNotFound]: 'A ConfigMap that the pod mounts does not exist.',
        [Reason.FailedMount]: 'A volume of the pod cannot be mounted.',
        [Reason.FailedAttachVolume]: 'A volume of the pod cannot be attached to its node.',
        [Reason.VolumeNotBound]: 'A PersistentVolumeClaim is not bound, in the words of its provisioner.',
        [Reason.StartFailed]: 'The node-daemon cannot start the guest in its pod, and tries again.',
      },
    },
  },
  {
    type: InstanceCondition.AgentConnected,
    on: both,
    means: 'The guest agent answers.',
    reasons: {
      True: {[Reason.AgentAnswers]: 'It answers.'},
      False: {[Reason.AgentSilent]: 'It answered before and does so no more.'},
    },
  },
  {
    type: InstanceCondition.Paused,
    on: both,
    means: 'The vCPUs of the guest are stopped.',
    reasons: {
      True: {
        [Reason.PausedByUser]: 'It was started paused, or somebody paused it.',
        [Reason.PausedIoError]:
          'A disk could not be read or written, and the engine stopped the guest: mend the storage. The guest is resumed by itself, a minute later at most.',
      },
    },
  },
  {
    type: InstanceCondition.SoftwareEmulation,
    on: both,
    means: 'The guest runs by software emulation, many times slower than with KVM.',
    reasons: {True: {[Reason.NoHardwareVirtualization]: 'No node that fits has a usable KVM.'}},
  },
  {
    type: InstanceCondition.EngineActive,
    on: instanceOnly,
    means: 'An engine process may exist on the node. Nothing runs the machine again until it is False.',
    reasons: {
      True: {[Reason.EngineStarted]: 'The engine was started.'},
      False: {
        [Reason.EngineExited]: 'The launcher has ended, and the engine with it.',
        [Reason.PodGone]: 'The pod has left the node.',
      },
      Unknown: {[Reason.EngineUnresponsive]: 'The engine is there, and does not answer.'},
    },
  },
  {
    type: InstanceCondition.NodeDaemonReady,
    on: both,
    means:
      'The node-daemon of its node answers. It is only there while it is False: the guest runs on, but what the status says of it may be old.',
    reasons: {
      False: {[Reason.NodeDaemonSilent]: 'The node-daemon has not renewed its Lease for long, and the node is ready.'},
    },
  },
  {
    type: MachineCondition.Failure,
    on: machineOnly,
    means: 'The last thing that was tried for the machine failed.',
    reasons: {
      True: {
        [Reason.FailedCreate]:
          'The API server refuses the instance, or an instance of the same name stands in its place.',
        [Reason.NotSupported]: 'The spec was stored by an older version and asks for something that is not supported.',
        ...failedEnds,
      },
    },
  },
  {
    type: MachineCondition.RestartRequired,
    on: machineOnly,
    means: 'The template has changes that the running guest does not have.',
    reasons: {True: {[Reason.SpecChanged]: 'The message names the fields.'}},
  },
];

/** What is wrong with a condition that was written; undefined where the list has it. */
export const conditionProblem = (
  on: ConditionEntry['on'][number],
  {type, status, reason}: {readonly type: string; readonly status: string; readonly reason?: string},
): string | undefined => {
  const entry = conditionGuide.find(one => one.type === type);
  if (entry === undefined || !entry.on.includes(on)) return `${on} has no condition ${type}`;
  const meanings: Readonly<Record<string, string>> | undefined = (entry.reasons as Record<string, Meanings>)[status];
  return meanings?.[reason ?? ''] === undefined ? `${type}=${status} has no reason ${reason ?? '(none)'}` : undefined;
};
