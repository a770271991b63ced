import {cloudInitSecretPath, PodLayout, type InstanceSpec, volumeDevicePath, volumePath} from '@wherry/api';
import type {PodVolume} from '@wherry/kube';
import {configMounts, projectedMode} from './config-mounts.ts';
import {type Mounts, none, readOnlyMount} from './mount.ts';

type Volume = NonNullable<InstanceSpec['volumes']>[number];

/** Everything that the pod mounts. Where a volume lies follows from its name; the daemon plans by the same layout. */
export const podMounts = (spec: InstanceSpec, isBlock: IsBlock): Mounts => {
  const volumes = (spec.volumes ?? []).map((volume, at) => volumeMounts(volume, at, isBlock));
  const parts = [scratch, kernelMounts(spec), ...volumes];
  return {
    volumes: parts.flatMap(part => part.volumes),
    mounts: parts.flatMap(part => part.mounts),
    devices: parts.flatMap(part => part.devices),
    pullSecrets: [...new Set(parts.flatMap(part => part.pullSecrets))],
  };
};

const scratch: Mounts = {
  ...none,
  volumes: [
    {name: PodLayout.socketsVolume, emptyDir: {}},
    {name: PodLayout.privateVolume, emptyDir: {}},
  ],
  mounts: [
    {name: PodLayout.socketsVolume, mountPath: PodLayout.sockets},
    {name: PodLayout.privateVolume, mountPath: PodLayout.private},
  ],
};

const kernelMounts = (spec: InstanceSpec): Mounts => {
  const container = spec.domain.firmware?.kernelBoot?.container;
  return container === undefined ? none : imageMounts(PodLayout.kernelVolume, PodLayout.kernel, container);
};

/** Pod volumes are named by position: a VMI's volume names may be longer than a pod's, and must not meet our own. */
const volumeMounts = (volume: Volume, at: number, isBlock: IsBlock): Mounts => {
  const name = `volume-${at}`;
  const path = volumePath(volume.name);
  if (volume.containerDisk !== undefined) return imageMounts(name, path, volume.containerDisk);
  const claim = volume.persistentVolumeClaim ?? volume.ephemeral?.persistentVolumeClaim;
  if (claim !== undefined) {
    if (isBlock(claim.claimName)) return claimDevice(name, volumeDevicePath(volume.name), claim);
    // The disk below an ephemeral one is only read, whatever the claim allows.
    return claimMounts(name, path, claim, volume.ephemeral !== undefined);
  }
  const cloudInit = volume.cloudInitNoCloud ?? volume.cloudInitConfigDrive;
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
  return configMounts(volume, name) ?? none;
};

/** Whether the claim of this name is in block mode. */
export type IsBlock = (claimName: string) => boolean;

interface ClaimSource {
  readonly claimName: string;
  readonly readOnly?: boolean;
}

const claimVolume = (name: string, {claimName, readOnly}: ClaimSource): PodVolume => ({
  name,
  persistentVolumeClaim: {claimName, ...(readOnly === true ? {readOnly} : {})},
});

/** The node of a device, which the pod may not open; the daemon does. */
const claimDevice = (name: string, devicePath: string, claim: ClaimSource): Mounts => ({
  ...none,
  volumes: [claimVolume(name, claim)],
  devices: [{name, devicePath}],
});

const claimMounts = (name: string, mountPath: string, claim: ClaimSource, onlyRead: boolean): Mounts => ({
  ...none,
  volumes: [claimVolume(name, claim)],
  mounts: [{name, mountPath, ...(onlyRead || claim.readOnly === true ? {readOnly: true} : {})}],
});

interface ImageSource {
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly imagePullSecret?: string;
}

const imageMounts = (name: string, mountPath: string, source: ImageSource): Mounts => ({
  ...none,
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
  secretName === undefined ? none : readOnlyMount({name, secret: {secretName, defaultMode: projectedMode}}, mountPath);
