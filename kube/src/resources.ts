/** Which path of the API serves a kind. A `Resource<T>` carries the type of its objects; it holds no state. */
import type {
  ConfigMap,
  Event,
  Key,
  KubeObject,
  Lease,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Secret,
  Service,
  ServiceAccount,
  StorageClass,
} from './objects.ts';

declare const objectType: unique symbol;

export interface Resource<T extends KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set: it carries T for the compiler. */
  readonly [objectType]?: T;
}

export const defineResource = <T extends KubeObject>(resource: Resource<T>): Resource<T> => Object.freeze(resource);

const namespaced = <T extends KubeObject>(group: string, plural: string, kind: string): Resource<T> =>
  defineResource<T>({group, version: 'v1', plural, kind, namespaced: true});

const clusterScoped = <T extends KubeObject>(group: string, plural: string, kind: string): Resource<T> =>
  defineResource<T>({group, version: 'v1', plural, kind, namespaced: false});

export const core = {
  pods: namespaced<Pod>('', 'pods', 'Pod'),
  nodes: clusterScoped<Node>('', 'nodes', 'Node'),
  namespaces: clusterScoped<Namespace>('', 'namespaces', 'Namespace'),
  persistentVolumes: clusterScoped<PersistentVolume>('', 'persistentvolumes', 'PersistentVolume'),
  persistentVolumeClaims: namespaced<PersistentVolumeClaim>('', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
  configMaps: namespaced<ConfigMap>('', 'configmaps', 'ConfigMap'),
  secrets: namespaced<Secret>('', 'secrets', 'Secret'),
  events: namespaced<Event>('', 'events', 'Event'),
  services: namespaced<Service>('', 'services', 'Service'),
  serviceAccounts: namespaced<ServiceAccount>('', 'serviceaccounts', 'ServiceAccount'),
};

export const coordination = {leases: namespaced<Lease>('coordination.k8s.io', 'leases', 'Lease')};

export const storage = {
  storageClasses: clusterScoped<StorageClass>('storage.k8s.io', 'storageclasses', 'StorageClass'),
};

export const policy = {
  podDisruptionBudgets: namespaced<PodDisruptionBudget>('policy', 'poddisruptionbudgets', 'PodDisruptionBudget'),
};

export const apiVersionOf = (resource: Resource<KubeObject>): string =>
  resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;

/** Path of all objects of a kind, in one namespace where one is given. */
export const collectionPath = (resource: Resource<KubeObject>, namespace?: string): string => {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${within}/${resource.plural}`;
};

/**
 * Path of one object.
 * @throws TypeError when the key's scope is not the resource's: the request would reach something else.
 */
export const objectPath = (resource: Resource<KubeObject>, key: Key, subresource?: string): string => {
  if (resource.namespaced !== (key.namespace !== undefined)) {
    const remedy = resource.namespaced ? 'give its namespace' : 'give no namespace';
    throw new TypeError(`${resource.kind} ${key.name}: ${remedy}`);
  }
  const path = `${collectionPath(resource, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
};
