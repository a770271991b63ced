import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import type {Args} from './args.ts';

/** A kernel that stands outside the guest's disks. */
export const kernelArgs = ({kernel}: EffectiveMachine): Args =>
  kernel === undefined
    ? []
    : [
        ...(kernel.kernel === undefined ? [] : ['-kernel', kernel.kernel]),
        ...(kernel.initrd === undefined ? [] : ['-initrd', kernel.initrd]),
        ...(kernel.args === '' ? [] : ['-append', kernel.args]),
      ];
