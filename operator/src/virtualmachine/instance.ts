import {
  Annotation,
  API_VERSION,
  effectiveSpec,
  Finalizer,
  Label,
  labelValueOf,
  type VirtualMachineInstance,
} from '@wherry/api';
import type {Machine} from '../objects.ts';
import {changedFields} from './restart-required.ts';

/**
 * The instance that this machine would start now. Everything derived (MAC addresses, the firmware's UUID, a disk for each
 * volume) follows from the machine's uid and stands in the instance, never in the user's spec.
 */
export const instanceOf = (vm: Machine): VirtualMachineInstance => {
  const {metadata: template = {}, spec} = vm.spec.template;
  return {
    apiVersion: API_VERSION,
    kind: 'VirtualMachineInstance',
    metadata: {
      name: vm.metadata.name,
      namespace: vm.metadata.namespace,
      labels: {...template.labels, [Label.vmName]: labelValueOf(vm.metadata.name)},
      annotations: {...template.annotations, [Annotation.vmGeneration]: String(vm.metadata.generation ?? 0)},
      finalizers: [Finalizer.instance],
      ownerReferences: [
        {
          apiVersion: API_VERSION,
          kind: 'VirtualMachine',
          name: vm.metadata.name,
          uid: vm.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: effectiveSpec(spec, vm.metadata.uid),
  };
};

/** Fields of a run that the machine's template would give other values now. */
export const outdatedFields = (vm: Machine, vmi: VirtualMachineInstance): string[] =>
  changedFields(
    // What a newer release derives in addition is no change by the user.
    effectiveSpec(vmi.spec, vm.metadata.uid),
    effectiveSpec(vm.spec.template.spec, vm.metadata.uid),
  );
