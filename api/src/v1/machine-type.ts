import {MACHINE_TYPE_ALIAS, machineTypes} from '../machine/machine-type.ts';
import {enumeration, object, optional} from '../schema/index.ts';

export const machine = object('The board that the guest sees.', {
  type: optional(
    enumeration('Its type and version. Defaults to q35, which stands for the version that status.machine.type shows.', [
      '',
      MACHINE_TYPE_ALIAS,
      ...machineTypes,
    ]),
  ),
});
