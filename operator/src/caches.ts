import {DaemonLease, Label, LAUNCHER_APP} from '@wherry/api';
import {
  Cache,
  type Client,
  type Clock,
  coordination,
  core,
  type KubeObject,
  type Lease,
  type Log,
  type Node,
  type PersistentVolumeClaim,
  type Pod,
  type PodDisruptionBudget,
  policy,
} from '@wherry/kube';
import type {Registry} from 'prom-client';
import {trimNode} from './node/view.ts';
import {controllerUid, type Instance, type Machine} from './objects.ts';
import {instances, machines} from './resources.ts';
import {claimNames} from './virtualmachineinstance/world.ts';

/** What the operator knows of the cluster. */
export interface Caches {
  readonly machines: Cache<Machine>;
  readonly instances: Cache<Instance>;
  readonly pods: Cache<Pod>;
  readonly nodes: Cache<Node>;
  readonly claims: Cache<PersistentVolumeClaim>;
  readonly budgets: Cache<PodDisruptionBudget>;
  /** Those of the node-daemons. */
  readonly leases: Cache<Lease>;
}

type Reader<T extends KubeObject> = Pick<Cache<T>, 'get' | 'list' | 'byIndex'>;

/** The side of the caches that decisions are gathered from. */
export interface Readers {
  readonly machines: Reader<Machine>;
  readonly instances: Reader<Instance>;
  readonly pods: Reader<Pod>;
  readonly nodes: Reader<Node>;
  readonly claims: Reader<PersistentVolumeClaim>;
  readonly budgets: Reader<PodDisruptionBudget>;
}

/** Names of the indices, with what their values are. */
export const Index = {
  /** Of pods and budgets: the uid of the instance that controls them. */
  controller: 'controller',
  /** Of instances: namespace/name of a claim that they use. */
  claim: 'claim',
  /** Of instances: the node that they were handed to; empty before that. */
  node: 'node',
} as const;

export interface CacheContext {
  readonly client: Client;
  readonly log: Log;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Of the installation. */
  readonly namespace: string;
}

export const makeCaches = ({namespace, ...context}: CacheContext): Caches => ({
  machines: new Cache({...context, resource: machines}),
  instances: new Cache({
    ...context,
    resource: instances,
    indexers: {
      [Index.claim]: vmi => claimNames(vmi).map(name => `${vmi.metadata.namespace}/${name}`),
      [Index.node]: vmi => [vmi.status?.nodeName ?? ''],
    },
  }),
  pods: new Cache({
    ...context,
    resource: core.pods,
    selection: {labelSelector: `${Label.app}=${LAUNCHER_APP}`},
    indexers: {[Index.controller]: pod => present(controllerUid(pod))},
    transform: trimPod,
  }),
  nodes: new Cache({...context, resource: core.nodes, transform: trimNode}),
  claims: new Cache({...context, resource: core.persistentVolumeClaims, transform: trimClaim}),
  budgets: new Cache({
    ...context,
    resource: policy.podDisruptionBudgets,
    selection: {labelSelector: `${Label.app}=${LAUNCHER_APP}`},
    indexers: {[Index.controller]: budget => present(controllerUid(budget))},
    // That it is there is all that is asked.
    transform: ({apiVersion, kind, metadata}) => ({apiVersion, kind, metadata}),
  }),
  leases: new Cache({
    ...context,
    resource: coordination.leases,
    selection: {namespace, labelSelector: `${DaemonLease.label.key}=${DaemonLease.label.value}`},
    transform: trimLease,
  }),
});

const present = (value: string | undefined): string[] => (value === undefined || value === '' ? [] : [value]);

/** Of a pod's spec only the node is looked at; the rest was rendered from the instance. */
const trimPod = (pod: Pod): Pod => ({
  ...pod,
  spec: {containers: [], ...(pod.spec?.nodeName === undefined ? {} : {nodeName: pod.spec.nodeName})},
});

const trimLease = ({metadata, spec, ...lease}: Lease): Lease => {
  const {labels: _labels, annotations: _annotations, ownerReferences: _owners, ...kept} = metadata;
  const {holderIdentity, leaseDurationSeconds, renewTime} = spec ?? {};
  return {
    ...lease,
    metadata: kept,
    spec: {
      ...(holderIdentity === undefined ? {} : {holderIdentity}),
      ...(leaseDurationSeconds === undefined ? {} : {leaseDurationSeconds}),
      ...(renewTime === undefined ? {} : {renewTime}),
    },
  };
};

const trimClaim = ({metadata, spec, status, ...claim}: PersistentVolumeClaim): PersistentVolumeClaim => ({
  ...claim,
  metadata: withoutNotes(metadata),
  ...(spec === undefined
    ? {}
    : {
        spec: {
          ...(spec.accessModes === undefined ? {} : {accessModes: spec.accessModes}),
          ...(spec.resources === undefined ? {} : {resources: spec.resources}),
          ...(spec.volumeMode === undefined ? {} : {volumeMode: spec.volumeMode}),
        },
      }),
  ...(status === undefined
    ? {}
    : {
        status: {
          ...(status.phase === undefined ? {} : {phase: status.phase}),
          ...(status.capacity === undefined ? {} : {capacity: status.capacity}),
        },
      }),
});

const withoutNotes = ({annotations: _annotations, labels: _labels, ...metadata}: KubeObject['metadata']) => metadata;
