import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import {type Args, descriptor} from './args.ts';

/**
 * KVM comes as a descriptor, for the pod has no device. TCG's buffer is bounded, or it grows with what the guest runs;
 * five-level paging is off because TCG walks the fifth level as slowly as the others.
 */
export const acceleratorArgs = ({accelerator}: EffectiveMachine): Args =>
  accelerator === 'kvm'
    ? ['-add-fd', `fd=${descriptor('kvm')},set=1,opaque=kvm`, '-accel', 'kvm,device=/dev/fdset/1', '-cpu', 'host']
    : ['-accel', 'tcg,thread=multi,tb-size=64', '-cpu', 'max,-la57'];
