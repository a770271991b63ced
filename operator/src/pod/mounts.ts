import {cloudInitSecretPath, PodLayout, type InstanceSpec, volumePath} from '@wherry/api';
import type {PodVolume, VolumeMount} from '@wherry/kube';

type Volume = NonNullable<InstanceSpec['volumes']>[number];

/** What one source of storage adds to the pod. */
export interface Mounts {
  readonly volumes: readonly PodVolume[];
  readonly mounts: readonly VolumeMount[];
  readonly pullSecrets: readonly string[];
}

const none: Mounts = {volumes: [], mounts: [], pullSecrets: []};

/** Group-readable: the pod's group owns what the kubelet projects. */
const secretMode = 0o440;

/** Everything that the pod mounts. Where a volume lies follows from its name; the daemon plans by the same layout. */
export const podMounts = (spec: InstanceSpec): Mounts => {
  const parts = [scratch, kernelMounts(spec), ...(spec.volumes ?? []).map(volumeMounts)];
  return {
    volumes: parts.flatMap(part => part.volumes),
    mounts: parts.flatMap(part => part.mounts),
    pullSecrets: [...new Set(parts.flatMap(part => part.pullSecrets))],
  };
};

const scratch: Mounts = {
  volumes: [
    {name: PodLayout.socketsVolume, emptyDir: {}},
    {name: PodLayout.privateVolume, emptyDir: {}},
  ],
  mounts: [
    {name: PodLayout.socketsVolume, mountPath: PodLayout.sockets},
    {name: PodLayout.privateVolume, mountPath: PodLayout.private},
  ],
  pullSecrets: [],
};

const kernelMounts = (spec: InstanceSpec): Mounts => {
  const container = spec.domain.firmware?.kernelBoot?.container;
  return container === undefined ? none : imageMounts(PodLayout.kernelVolume, PodLayout.kernel, container);
};

/** Pod volumes are named by position: a VMI's volume names may be longer than a pod's, and must not meet our own. */
const volumeMounts = (volume: Volume, at: number): Mounts => {
  const name = `volume-${at}`;
  const path = volumePath(volume.name);
  if (volume.containerDisk !== undefined) return imageMounts(name, path, volume.containerDisk);
  if (volume.persistentVolumeClaim !== undefined) {
    const {claimName} = volume.persistentVolumeClaim;
    return {...none, volumes: [{name, persistentVolumeClaim: {claimName}}], mounts: [{name, mountPath: path}]};
  }
  const cloudInit = volume.cloudInitNoCloud;
  if (cloudInit !== undefined) {
    const user = secretMounts(`${name}-user`, cloudInitSecretPath(volume.name, 'user'), cloudInit.secretRef?.name);
    const network = secretMounts(
      `${name}-network`,
      cloudInitSecretPath(volume.name, 'network'),
      cloudInit.networkDataSecretRef?.name,
    );
    return {...none, volumes: [...user.volumes, ...network.volumes], mounts: [...user.mounts, ...network.mounts]};
  }
  // An emptyDisk lies in the private emptyDir.
  return none;
};

interface ImageSource {
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly imagePullSecret?: string;
}

const imageMounts = (name: string, mountPath: string, source: ImageSource): Mounts => ({
  volumes: [
    {
      name,
      image: {
        reference: source.image,
        ...(source.imagePullPolicy === undefined ? {} : {pullPolicy: source.imagePullPolicy}),
      },
    },
  ],
  mounts: [{name, mountPath, readOnly: true}],
  pullSecrets: source.imagePullSecret === undefined ? [] : [source.imagePullSecret],
});

/** The whole Secret, read by nobody but the kubelet and the guest's own pod. A missing one holds the pod back. */
const secretMounts = (name: string, mountPath: string, secretName: string | undefined): Mounts =>
  secretName === undefined
    ? none
    : {
        ...none,
        volumes: [{name, secret: {secretName, defaultMode: secretMode}}],
        mounts: [{name, mountPath, readOnly: true}],
      };
