/** Kubernetes objects as they stand in JSON: timestamps are RFC 3339 strings, never Date. */
import type {
  CoreV1Event,
  V1ConfigMap,
  V1Container,
  V1EnvVar,
  V1Lease,
  V1Namespace,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1PodSpec,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StorageClass,
  V1Volume,
  V1VolumeDevice,
  V1VolumeMount,
} from '@kubernetes/client-node';

/** Names one object of a kind; `namespace` is absent for a cluster-scoped one. */
export interface Key {
  readonly namespace?: string;
  readonly name: string;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** What the API server stores of every object. All optional, as the same type serves for what a client sends. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object as a client may send it: type and metadata may be partial, the client fills in `apiVersion` and `kind`. */
export type Draft<T extends KubeObject> = Partial<Omit<T, 'metadata'>> & {readonly metadata: ObjectMeta};

/** A client-node model as it stands in JSON: Date → string, methods dropped. */
export type Json<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? {[K in keyof T]: Json<T[K]>}
      : T;

type Model<T, Kind extends string, ApiVersion extends string = 'v1'> = Json<
  Omit<T, 'metadata' | 'apiVersion' | 'kind'>
> & {
  readonly apiVersion: ApiVersion;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
};

export type Pod = Model<V1Pod, 'Pod'>;
export type Node = Model<V1Node, 'Node'>;
export type Namespace = Model<V1Namespace, 'Namespace'>;
export type PersistentVolume = Model<V1PersistentVolume, 'PersistentVolume'>;
export type PersistentVolumeClaim = Model<V1PersistentVolumeClaim, 'PersistentVolumeClaim'>;
export type ConfigMap = Model<V1ConfigMap, 'ConfigMap'>;
export type Secret = Model<V1Secret, 'Secret'>;
export type Service = Model<V1Service, 'Service'>;
export type ServiceAccount = Model<V1ServiceAccount, 'ServiceAccount'>;
export type Event = Model<CoreV1Event, 'Event'>;
export type Lease = Model<V1Lease, 'Lease', 'coordination.k8s.io/v1'>;
export type StorageClass = Model<V1StorageClass, 'StorageClass', 'storage.k8s.io/v1'>;
export type PodDisruptionBudget = Model<V1PodDisruptionBudget, 'PodDisruptionBudget', 'policy/v1'>;

export type PodSpec = Json<V1PodSpec>;
export type PodVolume = Json<V1Volume>;
export type Container = Json<V1Container>;
export type EnvVar = Json<V1EnvVar>;
export type VolumeMount = Json<V1VolumeMount>;
export type VolumeDevice = Json<V1VolumeDevice>;

/** @throws TypeError when the object has no name: it was never stored. */
export const keyOf = (object: {readonly metadata: ObjectMeta}): Key => {
  const {namespace, name} = object.metadata;
  if (name === undefined) throw new TypeError('the object has no metadata.name: only stored objects have a key');
  return namespace === undefined ? {name} : {namespace, name};
};

/** `namespace/name`, or `name`: unique within a kind, for maps and logs. */
export const keyText = (key: Key): string => (key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`);

/** The inverse of {@link keyText}. */
export const parseKey = (text: string): Key => {
  const slash = text.indexOf('/');
  return slash < 0 ? {name: text} : {namespace: text.slice(0, slash), name: text.slice(slash + 1)};
};

/** The one owner that acts on the object, if it has one. */
export const controllerOf = (object: {readonly metadata: ObjectMeta}): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find(owner => owner.controller === true);

/**
 * True when `version` is at least as new as `floor`. Versions of one resource are comparable integers since Kubernetes
 * 1.35 (KEP-5504), of arbitrary size, so they are compared by length first: no allocation.
 */
export const isAtLeast = (version: string, floor: string): boolean =>
  version.length === floor.length ? version >= floor : version.length > floor.length;
