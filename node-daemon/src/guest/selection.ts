/** Which instances are this node's, and what was decided for them elsewhere. Pure. */
import {
  type Accelerator,
  type EngineName,
  InstanceCondition,
  outsideNativeMatrix,
  type VirtualMachineInstance,
} from '@wherry/api';
import {unsupportedMachine} from '../errors.ts';

/** The pod of the run on this node; undefined before the hand-over. */
export const activePodOn = (node: string, vmi: VirtualMachineInstance): string | undefined => {
  if (vmi.status?.nodeName !== node) return undefined;
  return Object.entries(vmi.status.activePods ?? {}).find(([, where]) => where === node)?.[0];
};

/** The operator chose when it made the pod, and says so by this condition. */
export const acceleratorOf = (vmi: VirtualMachineInstance): Accelerator =>
  vmi.status?.conditions?.some(
    ({type, status}) => type === InstanceCondition.SoftwareEmulation && status === 'True',
  ) === true
    ? 'tcg'
    : 'kvm';

/**
 * The operator chose this too, and it holds for the whole run, whatever becomes of the annotation. What was handed over by an
 * operator that knew but one engine says nothing.
 */
export const engineOf = (vmi: VirtualMachineInstance): EngineName => vmi.status?.engine?.name ?? 'qemu';

/** @throws DaemonError UNSUPPORTED_MACHINE where the operator chose an engine that cannot run it, by this daemon's matrix */
export const checkEngine = (vmi: VirtualMachineInstance): void => {
  if (engineOf(vmi) !== 'native') return;
  const outside = outsideNativeMatrix(vmi);
  if (outside.length > 0) throw unsupportedMachine(`the native engine has no ${outside.join('; no ')}`);
};
