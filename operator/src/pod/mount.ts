import type {PodVolume, VolumeDevice, VolumeMount} from '@wherry/kube';

/** What one source of storage adds to the pod. */
export interface Mounts {
  readonly volumes: readonly PodVolume[];
  readonly mounts: readonly VolumeMount[];
  readonly devices: readonly VolumeDevice[];
  readonly pullSecrets: readonly string[];
}

export const none: Mounts = {volumes: [], mounts: [], devices: [], pullSecrets: []};

/** A volume of the pod that is only read. */
export const readOnlyMount = (volume: PodVolume, mountPath: string): Mounts => ({
  ...none,
  volumes: [volume],
  mounts: [{name: volume.name, mountPath, readOnly: true}],
});
