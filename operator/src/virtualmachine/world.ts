import type {PersistentVolumeClaim} from '@wherry/kube';
import {controllerUid, type Instance, isDeleting, type Machine} from '../objects.ts';

/** Everything that a decision about one machine may look at. */
export interface World {
  readonly vm: Machine;
  /** The object of the machine's name, whoever made it. */
  readonly vmi: Instance | undefined;
  /** Claims that the instance names, by name; those that do not exist are missing. */
  readonly claims: ReadonlyMap<string, PersistentVolumeClaim>;
}

/** The run of this machine; an instance of the same name that belongs to another, or to nobody, is none. */
export const runOf = ({vm, vmi}: Pick<World, 'vm' | 'vmi'>): Instance | undefined =>
  vmi !== undefined && controllerUid(vmi) === vm.metadata.uid ? vmi : undefined;

/** An instance stands in the way: it has the machine's name, but is not its run. */
export const obstacleOf = ({vm, vmi}: Pick<World, 'vm' | 'vmi'>): Instance | undefined =>
  vmi !== undefined && controllerUid(vmi) !== vm.metadata.uid ? vmi : undefined;

/** `kubectl delete --cascade=orphan`: the garbage collector takes the owner references off, and the guest stays. */
export const isOrphaning = (vm: Machine): boolean =>
  isDeleting(vm) && (vm.metadata.finalizers?.includes('orphan') ?? false);
