/** The processor that the guest sees. */
import {cpuFeatures, type Domain, namedCpuModel} from '@wherry/api';

export interface MachineCpu {
  /** One of QEMU's; undefined for the processor of the node, or all that emulation has. */
  readonly model?: string;
  /** Switched on and off, whatever the model says, in the order of the spec. */
  readonly features: readonly {readonly name: string; readonly on: boolean}[];
}

export const cpuOf = (domain: Pick<Domain, 'cpu' | 'features'>): MachineCpu => {
  const model = namedCpuModel(domain.cpu);
  return {
    ...(model === undefined ? {} : {model}),
    features: cpuFeatures(domain).map(({name, policy}) => ({name, on: policy !== 'disable' && policy !== 'forbid'})),
  };
};
