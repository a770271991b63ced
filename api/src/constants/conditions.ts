/** Types of conditions. What each means, and its reasons, stands in condition-guide.ts. */

/** Conditions of a VirtualMachineInstance. Who writes each stands beside it. */
export const InstanceCondition = {
  /** The guest runs and its pod is ready. Operator before and after the run, node-daemon while it runs. */
  Ready: 'Ready',
  /** The scheduler's word about the pod, while it is False. Operator. */
  PodScheduled: 'PodScheduled',
  /** What the spec says has been carried out. Operator and node-daemon; its message says why not. */
  Synchronized: 'Synchronized',
  /** The guest agent answers. Node-daemon. */
  AgentConnected: 'AgentConnected',
  /** The guest's vCPUs are stopped. Node-daemon. */
  Paused: 'Paused',
  /** The guest runs by software emulation, slowly: no node that fits has a usable KVM. Operator. */
  SoftwareEmulation: 'SoftwareEmulation',
  /**
   * An engine process may exist on the node. Node-daemon: True in the same write as phase Running at the latest, False
   * once the launcher of the active pod is certainly gone. Nothing may run the VM again while it is True.
   */
  EngineActive: 'wherry.dev/EngineActive',
  /** The node-daemon of the guest's node is silent although its node is ready, while it is False. Operator. */
  NodeDaemonReady: 'wherry.dev/NodeDaemonReady',
} as const;
export type InstanceConditionType = (typeof InstanceCondition)[keyof typeof InstanceCondition];

/** Conditions of a VirtualMachine, beside those of its instance that are copied up. Written by the operator. */
export const MachineCondition = {
  /** Its instance is ready. */
  Ready: 'Ready',
  /** The last thing that the operator tried for it failed, or its last run did. */
  Failure: 'Failure',
  /** The template has changes that the running guest does not have. */
  RestartRequired: 'RestartRequired',
} as const;
export type MachineConditionType = (typeof MachineCondition)[keyof typeof MachineCondition];

export type ConditionType = InstanceConditionType | MachineConditionType;

/** Message of Ready=False for the reason GuestPaused: operator and node-daemon say it in the same words. */
export const GUEST_PAUSED = 'the guest is paused';
