import type {Key} from '@wherry/kube';
import type {Readers} from '../caches.ts';
import {claimsOf} from '../virtualmachineinstance/gather.ts';
import {runOf, type World} from './world.ts';

/** Everything that a decision about this machine needs; undefined when there is none. */
export const gather = (caches: Pick<Readers, 'machines' | 'instances' | 'claims'>, key: Key): World | undefined => {
  const vm = caches.machines.get(key);
  if (vm === undefined) return undefined;
  const vmi = caches.instances.get(key);
  const run = runOf({vm, vmi});
  return {vm, vmi, claims: run === undefined ? new Map() : claimsOf(caches, run)};
};
