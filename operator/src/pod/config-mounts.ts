/** Mounts of what Kubernetes keeps for a guest: the kubelet reads it, the launcher puts it on a disk. */
import {type InstanceSpec, volumePath} from '@wherry/api';
import type {PodVolume} from '@wherry/kube';
import {readOnlyMount, type Mounts} from './mount.ts';

type Volume = NonNullable<InstanceSpec['volumes']>[number];

/** Group-readable: the pod's group owns what the kubelet projects. */
export const projectedMode = 0o440;

/**
 * Seconds. The lifetime that a pod's own token has: of this very one the API server knows that its holder may not read it
 * anew, and extends it.
 */
const tokenSeconds = 3607;

/** The pod's volume for one of these; undefined for others. */
const sourceOf = (volume: Volume): Omit<PodVolume, 'name'> | undefined => {
  const {configMap, secret, downwardAPI, serviceAccount, sysprep} = volume;
  if (configMap !== undefined) return configMapSource(configMap.name, configMap.optional);
  if (secret !== undefined) return secretSource(secret.secretName, secret.optional);
  if (downwardAPI !== undefined)
    return {downwardAPI: {items: [...(downwardAPI.fields ?? [])] as never[], defaultMode: projectedMode}};
  if (serviceAccount !== undefined) return accountSource;
  if (sysprep?.configMap !== undefined) return configMapSource(sysprep.configMap.name, false);
  if (sysprep?.secret !== undefined) return secretSource(sysprep.secret.name, false);
  return undefined;
};

const configMapSource = (name: string, optional: boolean | undefined): Omit<PodVolume, 'name'> => ({
  configMap: {name, defaultMode: projectedMode, ...(optional === true ? {optional} : {})},
});

/** A missing one holds the pod back, unless it is optional. */
const secretSource = (secretName: string, optional: boolean | undefined): Omit<PodVolume, 'name'> => ({
  secret: {secretName, defaultMode: projectedMode, ...(optional === true ? {optional} : {})},
});

/** What a pod with a token of its own finds below /var/run/secrets/kubernetes.io/serviceaccount. */
const accountSource: Omit<PodVolume, 'name'> = {
  projected: {
    defaultMode: projectedMode,
    sources: [
      {serviceAccountToken: {path: 'token', expirationSeconds: tokenSeconds}},
      {configMap: {name: 'kube-root-ca.crt', items: [{key: 'ca.crt', path: 'ca.crt'}]}},
      {downwardAPI: {items: [{path: 'namespace', fieldRef: {fieldPath: 'metadata.namespace'}}]}},
    ],
  },
};

/** Undefined for a volume of another kind. */
export const configMounts = (volume: Volume, name: string): Mounts | undefined => {
  const source = sourceOf(volume);
  return source === undefined ? undefined : readOnlyMount({name, ...source}, volumePath(volume.name));
};
