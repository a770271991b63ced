/** How the machine starts. */
import {type EffectiveSpec, PodLayout} from '@wherry/api';
import {inImage} from './in-image.ts';

/** Paths are inside the pod. */
export interface MachineKernel {
  readonly kernel?: string;
  readonly initrd?: string;
  readonly args: string;
}

type KernelBoot = NonNullable<EffectiveSpec['domain']['firmware']['kernelBoot']>;

export const kernelFiles = ({container, kernelArgs}: KernelBoot): MachineKernel => ({
  ...(container?.kernelPath === undefined ? {} : {kernel: inImage(PodLayout.kernel, container.kernelPath)}),
  ...(container?.initrdPath === undefined ? {} : {initrd: inImage(PodLayout.kernel, container.initrdPath)}),
  args: kernelArgs ?? '',
});
