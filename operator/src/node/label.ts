import {Label} from '@wherry/api';
import {type DaemonState, isSilent} from './sighting.ts';

/**
 * What the label `kubevirt.io/schedulable` of a node is to be; undefined where it is right, or not ours to say. The daemon
 * sets it when it first comes to a node. It cannot take it away when it dies, so the operator keeps it in step from then on:
 * VM pods ask for it, and the scheduler reads it.
 */
export const schedulableLabel = (
  labels: Readonly<Record<string, string>> | undefined,
  daemon: DaemonState,
): 'true' | 'false' | undefined => {
  const now = labels?.[Label.schedulable];
  if (now === 'true' && isSilent(daemon)) return 'false';
  if (now === 'false' && daemon === 'answers') return 'true';
  return undefined;
};
