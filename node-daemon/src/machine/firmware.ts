/** How the machine starts, and what it says of itself. */
import {type Chassis, type EffectiveSpec, PodLayout} from '@wherry/api';
import {inImage} from './in-image.ts';

/** Paths are inside the pod. */
export interface MachineKernel {
  readonly kernel?: string;
  readonly initrd?: string;
  readonly args: string;
}

/** What runs before the operating system. */
export type MachineLoader = {readonly kind: 'bios'; readonly onSerial: boolean} | {readonly kind: 'efi'};

/** Numbers and names in SMBIOS, beside the UUID. */
export interface MachineLabels {
  readonly serial?: string;
  readonly chassis?: Chassis;
}

type Firmware = EffectiveSpec['domain']['firmware'];
type KernelBoot = NonNullable<Firmware['kernelBoot']>;

export const loaderOf = ({bootloader}: Firmware): MachineLoader =>
  bootloader?.efi === undefined ? {kind: 'bios', onSerial: bootloader?.bios?.useSerial === true} : {kind: 'efi'};

export const labelsOf = ({
  firmware,
  chassis,
}: Pick<EffectiveSpec['domain'], 'firmware' | 'chassis'>): MachineLabels => ({
  ...(firmware.serial === undefined || firmware.serial === '' ? {} : {serial: firmware.serial}),
  ...(chassis === undefined || Object.values(chassis).every(text => text === '') ? {} : {chassis}),
});

export const kernelFiles = ({container, kernelArgs}: KernelBoot): MachineKernel => ({
  ...(container?.kernelPath === undefined ? {} : {kernel: inImage(PodLayout.kernel, container.kernelPath)}),
  ...(container?.initrdPath === undefined ? {} : {initrd: inImage(PodLayout.kernel, container.initrdPath)}),
  args: kernelArgs ?? '',
});
