/** What goes wrong in a cluster, played by the test: what scheduler, kubelet and provisioners say of it. */
import {PodLayout} from '@wherry/api';
import {core, defineResource, keyOf, type KubeObject, type PersistentVolumeClaim, type Pod} from '@wherry/kube';
import type {Stage} from './stage.ts';

type PodStatus = NonNullable<Pod['status']>;

const setStatus = async (on: Stage, pod: Pod, status: PodStatus): Promise<void> => {
  await on.client.mergePatch(core.pods, keyOf(pod), {status}, {subresource: 'status'});
};

/** The scheduler: no node fits. */
export const unschedulable = (on: Stage, pod: Pod, message: string): Promise<void> =>
  setStatus(on, pod, {conditions: [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message}]});

/** The scheduler: the pod is this node's, since so many seconds. */
export const place = async (on: Stage, pod: Pod, secondsAgo: number, node = 'n1'): Promise<void> => {
  const {name = ''} = pod.metadata;
  const bindings = defineResource<KubeObject>({
    group: '',
    version: 'v1',
    plural: `pods/${name}/binding`,
    kind: 'Binding',
    namespaced: true,
  });
  const target = {apiVersion: 'v1', kind: 'Node', name: node};
  const metadata = {name, namespace: on.namespace};
  await on.client.create(bindings, {apiVersion: 'v1', kind: 'Binding', metadata, target} as KubeObject);
  const lastTransitionTime = new Date(Date.now() - secondsAgo * 1000).toISOString().replace(/\.\d+/, '');
  await setStatus(on, pod, {conditions: [{type: 'PodScheduled', status: 'True', lastTransitionTime}]});
};

/** The kubelet: the container does not start, for this reason. */
export const waits = (on: Stage, pod: Pod, reason: string, message: string): Promise<void> =>
  setStatus(on, pod, {
    phase: 'Pending',
    containerStatuses: [
      {
        name: PodLayout.container,
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: {waiting: {reason, message}},
      },
    ],
  });

/** The kubelet: the pod is evicted, and its container has ended. */
export const evict = (on: Stage, pod: Pod, message: string, exitCode: number): Promise<void> =>
  setStatus(on, pod, {
    phase: 'Failed',
    reason: 'Evicted',
    message,
    containerStatuses: [
      {
        name: PodLayout.container,
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: {terminated: {exitCode, reason: 'Error'}},
      },
    ],
  });

/** Somebody complains of an object in an event. */
export const complain = async (
  on: Stage,
  about: Pod | PersistentVolumeClaim,
  {type = 'Warning', reason, message}: {readonly type?: string; readonly reason: string; readonly message: string},
): Promise<void> => {
  const {name = '', namespace = '', uid = ''} = about.metadata;
  const now = new Date().toISOString().replace(/\.\d+/, '');
  await on.client.create(core.events, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {namespace, name: `${name.slice(0, 40)}.${Math.random().toString(36).slice(2)}`},
    involvedObject: {apiVersion: 'v1', kind: about.kind, name, namespace, uid},
    type,
    reason,
    message,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
  });
};

/** A claim that nobody has bound. */
export const claim = (on: Stage, name: string): Promise<PersistentVolumeClaim> =>
  on.client.create(core.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {name, namespace: on.namespace},
    spec: {accessModes: ['ReadWriteOnce'], resources: {requests: {storage: '1Gi'}}},
  });

/** The volume controller binds it. */
export const bind = async (on: Stage, name: string): Promise<void> => {
  const status = {phase: 'Bound', capacity: {storage: '1Gi'}, accessModes: ['ReadWriteOnce']};
  const key = {namespace: on.namespace, name};
  await on.client.mergePatch(core.persistentVolumeClaims, key, {status}, {subresource: 'status'});
};
