/** What a guest cannot have where software runs it instead of KVM. */
import type {Domain} from '../v1/domain.ts';
import {emulatedCpuFeatures, featuresOfModel} from './cpu-table.ts';
import {cpuFeatures, type CpuFeaturePolicy, namedCpuModel} from './cpu.ts';
import {hasHypervPassthrough, hypervFeatures} from './hyperv.ts';

type Asked = Pick<Domain, 'clock' | 'cpu' | 'features'>;

const lacking = (domain: Asked, ...policies: readonly CpuFeaturePolicy[]): readonly string[] =>
  cpuFeatures(domain)
    .filter(({name, policy}) => policies.includes(policy) && !emulatedCpuFeatures.has(name))
    .map(({name}) => name);

/** CPU features that the guest must have and cannot: it is not started. */
export const requiredButNotEmulated = (domain: Asked): readonly string[] => lacking(domain, 'require');

const hyperv = ({features = {}}: Asked): string[] =>
  hasHypervPassthrough(features) || hypervFeatures(features).size > 0 ? ['features of Hyper-V'] : [];

const timers = ({clock}: Asked): string[] => [
  ...(clock?.timer?.kvm !== undefined && clock.timer.kvm.present !== false ? ["KVM's clock"] : []),
  ...(clock?.timer?.hyperv !== undefined && clock.timer.hyperv.present !== false ? ["Hyper-V's clock"] : []),
  ...(clock?.timer?.pit?.tickPolicy === 'discard' ? ['discarded ticks of the interval timer'] : []),
];

const spinlocks = ({features}: Asked): string[] =>
  features?.pvspinlock !== undefined && features.pvspinlock.enabled !== false ? ['spinlocks of KVM'] : [];

/** With the model come many features: those that the spec switches off, or requires by name, are not missed. */
const model = (domain: Asked): string[] => {
  const {cpu} = domain;
  const named = namedCpuModel(cpu);
  if (named === undefined) return cpu?.model === undefined || cpu.model === '' ? [] : ['the CPU of the node'];
  const spoken = new Set(cpuFeatures(domain).map(({name}) => name));
  const missing = [...featuresOfModel(named)].filter(name => !emulatedCpuFeatures.has(name) && !spoken.has(name));
  return missing.length === 0 ? [] : [`${missing.join(', ')} of the CPU ${named}`];
};

const features = (domain: Asked): string[] => {
  const missing = lacking(domain, 'force', 'optional');
  return missing.length === 0 ? [] : [`the CPU features ${missing.join(', ')}`];
};

/** What the guest asks for and starts without, in words. */
export const lostUnderEmulation = (domain: Asked): readonly string[] =>
  [model, features, hyperv, spinlocks, timers].flatMap(part => part(domain));
