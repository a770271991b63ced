import {
  Annotation,
  API_VERSION,
  effectiveSpec,
  Finalizer,
  type InstanceSpec,
  Label,
  labelValueOf,
  type VirtualMachineInstance,
} from '@wherry/api';
import type {Machine} from '../objects.ts';
import {changedFields} from './restart-required.ts';

/**
 * The instance that this machine would start now. Everything derived (MAC addresses, the firmware's UUID, a disk for each
 * volume) follows from the machine's uid and stands in the instance, never in the user's spec.
 *
 * @param paused it is started as if its template said `startStrategy: Paused`
 */
export const instanceOf = (vm: Machine, paused = false): VirtualMachineInstance => {
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
    spec: {...effectiveSpec(spec, vm.metadata.uid), ...(paused ? pausedStart : {})},
  };
};

const pausedStart = {startStrategy: 'Paused'} as const;

/** Fields of a run that the machine's template would give other values now. */
export const outdatedFields = (vm: Machine, vmi: VirtualMachineInstance): string[] =>
  changedFields(
    // What a newer release derives in addition is no change by the user, and neither is a start that was asked for paused.
    effectiveSpec(vmi.spec, vm.metadata.uid),
    {...asStarted(vmi.spec), ...effectiveSpec(vm.spec.template.spec, vm.metadata.uid)},
  );

const asStarted = ({startStrategy}: InstanceSpec): Pick<InstanceSpec, 'startStrategy'> =>
  startStrategy === undefined ? {} : {startStrategy};
