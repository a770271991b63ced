/** The guest's processor: what a spec asks for, in QEMU's words. */
import type {Cpu} from '../v1/cpu.ts';
import type {Domain} from '../v1/domain.ts';
import {hypervFeatures} from './hyperv.ts';

export type CpuFeaturePolicy = 'force' | 'require' | 'optional' | 'disable' | 'forbid';

export interface CpuFeature {
  readonly name: string;
  readonly policy: CpuFeaturePolicy;
}

/** The CPU of the node: the same thing twice, as long as no guest moves to another node. */
export const hostCpuModels = ['host-model', 'host-passthrough'] as const;

/** The model by QEMU's name; undefined where the guest sees the CPU of its node. */
export const namedCpuModel = (cpu: Pick<Cpu, 'model'> | undefined): string | undefined => {
  const model = cpu?.model ?? '';
  return model === '' || hostCpuModels.some(one => one === model) ? undefined : model;
};

/** libvirt writes underscores where QEMU writes dashes. */
export const qemuFeatureName = (name: string): string => name.replaceAll('_', '-');

/** In the order of the spec. Hyper-V's nested state needs a processor that nests. */
export const cpuFeatures = ({cpu, features}: Pick<Domain, 'cpu' | 'features'>): readonly CpuFeature[] => {
  const named = (cpu?.features ?? []).map(({name, policy}) => ({
    name: qemuFeatureName(name),
    policy: policy === undefined || policy === '' ? ('require' as const) : policy,
  }));
  const nests = hypervFeatures(features ?? {}).has('evmcs') && !named.some(({name}) => name === 'vmx');
  return nests ? [...named, {name: 'vmx', policy: 'require'}] : named;
};
