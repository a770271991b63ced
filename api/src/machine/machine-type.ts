import {cpuTable} from './cpu-table.generated.ts';

/** Types of machines that the pinned QEMU has, the newest first. */
export const machineTypes: readonly string[] = cpuTable.machineTypes;

/** Stands for the type that the engine gives to a machine that asks for none. */
export const MACHINE_TYPE_ALIAS = 'q35';

/** The type by its full name; undefined where it is left to the engine. */
export const namedMachineType = (type: string | undefined): string | undefined =>
  type === undefined || type === '' || type === MACHINE_TYPE_ALIAS ? undefined : type;
