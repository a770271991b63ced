/** Which of Hyper-V's features a guest has: those that its spec names and those that they need. */
import type {Features, HypervFeatures} from '../v1/features.ts';

/** Features with a switch of their own, by KubeVirt's names. */
export type HypervFeature = keyof HypervFeatures | 'synictimer.direct' | 'tlbflush.direct' | 'tlbflush.extended';

/** What comes with a feature, in KubeVirt as here; transitive. */
const needs: Partial<Record<HypervFeature, readonly HypervFeature[]>> = {
  evmcs: ['vapic'],
  ipi: ['vpindex'],
  synic: ['vpindex'],
  synictimer: ['synic'],
  tlbflush: ['vpindex'],
  'tlbflush.direct': ['vapic'],
};

interface Switch {
  readonly enabled?: boolean;
}

const isOn = (feature: Switch | undefined): boolean => feature !== undefined && feature.enabled !== false;

const named = (hyperv: HypervFeatures): readonly HypervFeature[] => {
  const {synictimer, tlbflush} = hyperv;
  const parts: readonly (readonly [HypervFeature, Switch | undefined, Switch | undefined])[] = [
    ['synictimer.direct', synictimer, synictimer?.direct],
    ['tlbflush.direct', tlbflush, tlbflush?.direct],
    ['tlbflush.extended', tlbflush, tlbflush?.extended],
  ];
  return [
    ...Object.entries(hyperv)
      .filter(([, feature]) => isOn(feature))
      .map(([name]) => name as keyof HypervFeatures),
    ...parts.filter(([, whole, part]) => isOn(whole) && isOn(part)).map(([name]) => name),
  ];
};

/** In no particular order. */
export const hypervFeatures = ({hyperv}: Pick<Features, 'hyperv'>): ReadonlySet<HypervFeature> => {
  const found = new Set<HypervFeature>();
  const add = (feature: HypervFeature): void => {
    if (found.has(feature)) return;
    found.add(feature);
    for (const other of needs[feature] ?? []) add(other);
  };
  for (const feature of named(hyperv ?? {})) add(feature);
  return found;
};

/** All of Hyper-V that KVM has. */
export const hasHypervPassthrough = ({hypervPassthrough}: Pick<Features, 'hypervPassthrough'>): boolean =>
  isOn(hypervPassthrough);
