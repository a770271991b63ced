/** What runs before the operating system, and a kernel that stands outside the guest's disks. */
import {efiVariablesPath, type FileStep, PodLayout} from '@wherry/api';
import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import type {MachineLoader} from '../../machine/firmware.ts';
import {type Args, json} from './args.ts';

/** Options of the machine. Without graphics SeaBIOS writes to the first serial port. */
export const loaderOptions = (loader: MachineLoader): readonly string[] => {
  if (loader.kind === 'efi') return ['pflash0=efi-code', 'pflash1=efi-variables'];
  return loader.onSerial ? ['graphics=off'] : [];
};

/** The variables start anew with each run, as an overlay over those of the image. */
export const loaderFiles = (loader: MachineLoader): readonly FileStep[] =>
  loader.kind === 'efi' ? [{make: 'overlay', path: efiVariablesPath, backing: PodLayout.efiVariables}] : [];

export const loaderArgs = (loader: MachineLoader): Args =>
  loader.kind === 'efi'
    ? [
        ...json('-blockdev', {
          driver: 'raw',
          'node-name': 'efi-code',
          'read-only': true,
          file: {driver: 'file', filename: PodLayout.efiCode, 'read-only': true},
        }),
        ...json('-blockdev', {
          driver: 'qcow2',
          'node-name': 'efi-variables',
          file: {driver: 'file', filename: efiVariablesPath},
        }),
      ]
    : [];

export const kernelArgs = ({kernel}: EffectiveMachine): Args =>
  kernel === undefined
    ? []
    : [
        ...(kernel.kernel === undefined ? [] : ['-kernel', kernel.kernel]),
        ...(kernel.initrd === undefined ? [] : ['-initrd', kernel.initrd]),
        ...(kernel.args === '' ? [] : ['-append', kernel.args]),
      ];
