import {drainTaints} from '@wherry/api';
import type {Node} from '@wherry/kube';
import type {NodeView} from '../pod/node-fit.ts';

/** An admin (or a fencing agent) declares with this taint that nothing runs on the node any more. */
const outOfService = 'node.kubernetes.io/out-of-service';

export const viewOf = (node: Node): NodeView => ({
  name: node.metadata.name ?? '',
  labels: node.metadata.labels ?? {},
  taints: (node.spec?.taints ?? []).map(({key, value, effect}) => ({
    key,
    effect,
    ...(value === undefined ? {} : {value}),
  })),
  unschedulable: node.spec?.unschedulable ?? false,
  ready: isReady(node),
});

/** Its kubelet reports, and reports well. */
export const isReady = (node: Node): boolean =>
  node.status?.conditions?.some(({type, status}) => type === 'Ready' && status === 'True') ?? false;

export const isOutOfService = (node: Node): boolean =>
  node.spec?.taints?.some(({key}) => key === outOfService) ?? false;

/** Somebody wants the node to be empty, and new pods to go elsewhere. */
export const isDraining = (node: Node): boolean =>
  node.spec?.unschedulable === true || (node.spec?.taints?.some(({key}) => drainTaints.includes(key)) ?? false);

/** What the operator keeps of a node: the rest (images, addresses, heartbeats) is most of its size and all of its churn. */
export const trimNode = (node: Node): Node => {
  const {name, uid, resourceVersion, labels} = node.metadata;
  const ready = (node.status?.conditions ?? []).filter(({type}) => type === 'Ready');
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...(name === undefined ? {} : {name}),
      ...(uid === undefined ? {} : {uid}),
      ...(resourceVersion === undefined ? {} : {resourceVersion}),
      ...(labels === undefined ? {} : {labels}),
    },
    spec: {
      ...(node.spec?.taints === undefined ? {} : {taints: node.spec.taints}),
      ...(node.spec?.unschedulable === undefined ? {} : {unschedulable: node.spec.unschedulable}),
    },
    status: {conditions: ready.map(({type, status}) => ({type, status}))},
  };
};
