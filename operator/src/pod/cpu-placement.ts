/** Where KVM can give a guest the CPU that it asks for, by the labels that the node-daemons leave on their nodes. */
import {type Affinity, cpuFeatures, CpuLabel, type InstanceSpec, namedCpuModel} from '@wherry/api';
import type {NodeView} from './node-fit.ts';

export interface CpuPlacement {
  /** Labels that the node must have, each with the value `true`. */
  readonly needs: readonly string[];
  /** Labels that it must not have. */
  readonly forbids: readonly string[];
}

/** Emulation brings its own CPU. */
export const anyCpu: CpuPlacement = {needs: [], forbids: []};

/** What a guest asks of the CPU beneath KVM. */
export const cpuPlacement = ({domain}: Pick<InstanceSpec, 'domain'>): CpuPlacement => {
  const model = namedCpuModel(domain.cpu);
  const features = cpuFeatures(domain);
  const labels = (policy: 'require' | 'forbid'): string[] =>
    features.filter(one => one.policy === policy).map(({name}) => `${CpuLabel.feature}${name}`);
  return {
    needs: [...(model === undefined ? [] : [`${CpuLabel.model}${model}`]), ...labels('require')],
    forbids: labels('forbid'),
  };
};

export const nodeHasCpu = ({labels}: Pick<NodeView, 'labels'>, {needs, forbids}: CpuPlacement): boolean =>
  needs.every(label => labels[label] === 'true') && forbids.every(label => labels[label] === undefined);

/** The user's affinity, with what the node must not have in each of its alternatives. */
export const withForbidden = (affinity: Affinity | undefined, {forbids}: CpuPlacement): Affinity | undefined => {
  if (forbids.length === 0) return affinity;
  const absent = forbids.map(key => ({key, operator: 'DoesNotExist' as const}));
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  // A term without any requirement matches no node, and must not match one by ours.
  const terms = required?.nodeSelectorTerms.map(term =>
    (term.matchExpressions ?? []).length + (term.matchFields ?? []).length === 0
      ? term
      : {...term, matchExpressions: [...(term.matchExpressions ?? []), ...absent]},
  ) ?? [{matchExpressions: absent}];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: terms},
    },
  };
};

/** For messages: the labels by their names. */
export const describeCpu = ({needs, forbids}: CpuPlacement): string =>
  [...needs, ...forbids.map(label => `no ${label}`)].join(', ');
