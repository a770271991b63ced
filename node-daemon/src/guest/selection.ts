/** Which instances are this node's, and what was decided for them elsewhere. Pure. */
import {type Accelerator, Annotation, InstanceCondition, type VirtualMachineInstance} from '@wherry/api';
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

/** @throws DaemonError UNSUPPORTED_MACHINE where the annotation asks for an engine that is not here */
export const checkEngine = (vmi: VirtualMachineInstance): void => {
  const asked = vmi.metadata.annotations?.[Annotation.engine] ?? 'auto';
  if (asked !== 'auto' && asked !== 'qemu')
    throw unsupportedMachine(
      `the annotation ${Annotation.engine} asks for the engine ${asked}, which this version lacks: set it to auto or qemu`,
    );
};
