import {type Accelerator, type ConditionReason, type KvmVerdict, Label, Reason} from '@wherry/api';
import {type CpuPlacement, describeCpu, nodeHasCpu} from './cpu-placement.ts';
import {fits, type NodeView, type Placement} from './node-fit.ts';

export type AcceleratorChoice =
  | {readonly accelerator: Accelerator}
  /** No pod is made; the instance waits and says why. */
  | {readonly accelerator: undefined; readonly reason: ConditionReason; readonly message: string};

/**
 * KVM or emulation, from the evidence that the node-daemons left on the nodes. Where a fitting node has a usable KVM the
 * guest uses it, and the CPU that it asks for belongs to what fits. Where no node fits at all, a pod is made all the same if some node could run it one day: the scheduler
 * then says why it does not fit, and a cluster autoscaler sees it.
 */
export const chooseAccelerator = (
  nodes: readonly NodeView[],
  placement: Placement,
  cpu: CpuPlacement,
  allowEmulation: boolean,
): AcceleratorChoice => {
  const hosts = nodes.filter(node => node.labels[Label.schedulable] === 'true');
  const fitting = hosts.filter(node => fits(node, placement));
  const withKvm = (fitting.length === 0 ? hosts : fitting).filter(hasKvm);
  if (withKvm.some(node => nodeHasCpu(node, cpu))) return {accelerator: 'kvm'};
  // Before any daemon has reported, a choice for emulation could be wrong for the whole life of the guest.
  if (hosts.length === 0) return {accelerator: undefined, reason: Reason.NoUsableKvm, message: noHost};
  if (allowEmulation) return {accelerator: 'tcg'};
  if (withKvm.length === 0) return {accelerator: undefined, reason: Reason.NoUsableKvm, message: noKvm};
  return {accelerator: undefined, reason: Reason.NoNodeWithCpu, message: noCpu(cpu)};
};

const hasKvm = (node: NodeView): boolean => node.labels[Label.kvm] === ('usable' satisfies KvmVerdict);

const noHost = `no node is labelled ${Label.schedulable}=true: check that the node-daemon is ready on the nodes that run guests`;
const noKvm =
  `no fitting node has a usable KVM (label ${Label.kvm}=usable): its annotation says why; ` +
  `set configuration.allowEmulation=true in the chart to run guests slowly without it`;
const noCpu = (cpu: CpuPlacement): string =>
  `no fitting node with a usable KVM is labelled ${describeCpu(cpu)}: change domain.cpu, or add a node that has this`;
