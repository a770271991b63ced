import {type Config, isFinal} from '@wherry/api';
import {type Instance, isDeleting} from '../objects.ts';

/** What the cluster says for instances that do not say it themselves. */
export type EvictionDefault = Pick<Config, 'evictionStrategy'>;

/**
 * `evictionStrategy: External`: somebody else sees to it that the guest leaves a node that is drained. Its pod cannot be
 * evicted, and `status.evacuationNodeName` says when that somebody must act.
 */
export const isExternal = ({spec}: Pick<Instance, 'spec'>, {evictionStrategy}: EvictionDefault): boolean =>
  (spec.evictionStrategy || evictionStrategy) === 'External';

/** Its pod is, or will be, in need of a budget that protects it. */
export const needsBudget = (vmi: Instance, config: EvictionDefault): boolean =>
  isExternal(vmi, config) && !isDeleting(vmi) && !isFinal(vmi.status?.phase);

/** The node that the guest must leave, because it is drained; undefined where it may stay. */
export const evacuationNode = (vmi: Instance, nodeDraining: boolean, config: EvictionDefault): string | undefined =>
  nodeDraining && isExternal(vmi, config) && !isFinal(vmi.status?.phase) ? vmi.status?.nodeName : undefined;
