import type {ObjectMeta, VirtualMachine, VirtualMachineInstance} from '@wherry/api';

/** What the API server sets on everything that it stores. */
export interface StoredMeta extends ObjectMeta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
}

export type Machine = VirtualMachine & {readonly metadata: StoredMeta};
export type Instance = VirtualMachineInstance & {readonly metadata: StoredMeta};

interface HasMeta {
  readonly metadata?: {
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly {readonly uid: string; readonly controller?: boolean}[];
  };
}

export const isDeleting = (object: HasMeta): boolean => object.metadata?.deletionTimestamp !== undefined;

export const hasFinalizer = (object: HasMeta, finalizer: string): boolean =>
  object.metadata?.finalizers?.includes(finalizer) ?? false;

/** The one owner that acts on the object; undefined for an object that was made by hand. */
export const controllerUid = (object: HasMeta): string | undefined =>
  object.metadata?.ownerReferences?.find(owner => owner.controller === true)?.uid;
