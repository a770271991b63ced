/** Where the bytes of a disk come from. */
import {
  bytesOf,
  type IsoEntry,
  type VirtualMachineInstance,
  type Volume,
  volumeDevicePath,
  volumePath,
} from '@wherry/api';
import {DaemonError, unsupportedMachine} from '../errors.ts';
import {inImage} from './in-image.ts';
import {seedEntries, type SeedIdentity} from './seed.ts';

/** Paths are inside the pod. */
export type DiskSource =
  /** Read through an overlay; what the guest writes is lost with the pod. */
  | {readonly from: 'image'; readonly backing: string}
  /** A raw file on a claim, made with this many bytes where it is missing. */
  | {
      readonly from: 'claim';
      readonly path: string;
      readonly bytes: number;
      readonly preallocated?: boolean;
      /** Neither made nor written. */
      readonly readOnly?: boolean;
    }
  /** As `image`, over the raw file of a claim. */
  | {readonly from: 'ephemeral'; readonly backing: string}
  /** The block device of a claim, which the daemon opens. */
  | ({readonly from: 'device'} & BlockClaim)
  /** As `ephemeral`, over the block device of a claim. */
  | ({readonly from: 'ephemeralDevice'} & BlockClaim)
  | {readonly from: 'empty'; readonly bytes: number}
  /** An image of files, made anew at each start. */
  | {
      readonly from: 'seed';
      readonly label: string;
      readonly entries: readonly IsoEntry[];
      /** Its files too, where it is one that the kubelet keeps. */
      readonly folder?: string;
      readonly needs?: readonly string[];
    };

/** Where the device lies in the pod, and what it is like, in bytes; 0 where nobody has looked. */
interface BlockClaim extends DeviceFacts {
  readonly path: string;
  readonly preallocated?: boolean;
}

export interface DeviceFacts {
  readonly bytes: number;
  readonly logical: number;
  readonly physical: number;
}

/** By the name of the volume. */
export type Devices = ReadonlyMap<string, DeviceFacts>;

/** @throws DaemonError UNSUPPORTED_MACHINE, NOT_READY (a claim's size is not published yet) */
export const sourceOf = (
  vmi: VirtualMachineInstance,
  volume: Volume,
  identity: SeedIdentity,
  devices: Devices,
): DiskSource => {
  const {name, containerDisk, persistentVolumeClaim, ephemeral, emptyDisk, cloudInitNoCloud, cloudInitConfigDrive} =
    volume;
  if (containerDisk !== undefined)
    return {from: 'image', backing: inImage(volumePath(name), containerDisk.path ?? '/disk')};
  if (persistentVolumeClaim !== undefined || ephemeral !== undefined) {
    if (claimInfo(vmi, name).volumeMode === 'Block') return claimDevice(vmi, name, ephemeral !== undefined, devices);
    if (ephemeral !== undefined) return {from: 'ephemeral', backing: `${volumePath(name)}/${CLAIM_FILE}`};
    return claimFile(vmi, name, persistentVolumeClaim?.readOnly === true);
  }
  if (emptyDisk !== undefined) return {from: 'empty', bytes: sectors(bytesOf(emptyDisk.capacity))};
  if (cloudInitNoCloud !== undefined)
    return {from: 'seed', label: 'cidata', entries: seedEntries(name, cloudInitNoCloud, identity)};
  if (cloudInitConfigDrive !== undefined)
    return {from: 'seed', label: 'config-2', entries: seedEntries(name, cloudInitConfigDrive, identity, 'configDrive')};
  return keptFiles(volume);
};

/** What a claim with a filesystem keeps its disk in. */
const CLAIM_FILE = 'disk.img';

/** What Windows looks for. */
const WINDOWS_ANSWERS = ['autounattend.xml', 'unattend.xml'];

/** What Kubernetes keeps and the kubelet mounts. */
const keptFiles = ({name, configMap, secret, downwardAPI, serviceAccount, sysprep}: Volume): DiskSource => {
  const files = {from: 'seed', label: 'cfgdata', entries: [], folder: volumePath(name)} as const;
  const labelled = configMap ?? secret ?? downwardAPI;
  if (labelled !== undefined) {
    const {volumeLabel = ''} = labelled;
    return volumeLabel === '' ? files : {...files, label: volumeLabel};
  }
  if (serviceAccount !== undefined) return files;
  if (sysprep !== undefined) return {...files, label: 'unattendCD', needs: WINDOWS_ANSWERS};
  throw unsupportedMachine(`volume ${name} has no source that this version knows: use a containerDisk`);
};

type ClaimInfo = NonNullable<
  NonNullable<NonNullable<VirtualMachineInstance['status']>['volumeStatus']>[number]['persistentVolumeClaimInfo']
>;

/** The operator publishes what the claim holds; the launcher trims it to what its filesystem has free. */
const claimFile = (vmi: VirtualMachineInstance, volume: string, readOnly: boolean): DiskSource => {
  const {capacity, preallocated} = claimInfo(vmi, volume);
  const bytes = capacity?.['storage'];
  if (bytes === undefined)
    throw new DaemonError('NOT_READY', `the size of the claim behind volume ${volume} is not known yet`);
  return {
    from: 'claim',
    path: `${volumePath(volume)}/${CLAIM_FILE}`,
    bytes: sectors(bytesOf(bytes)),
    ...(preallocated === true ? {preallocated} : {}),
    ...(readOnly ? {readOnly} : {}),
  };
};

const claimDevice = (
  vmi: VirtualMachineInstance,
  volume: string,
  ephemeral: boolean,
  devices: Devices,
): DiskSource => ({
  from: ephemeral ? 'ephemeralDevice' : 'device',
  path: volumeDevicePath(volume),
  ...(devices.get(volume) ?? {bytes: 0, logical: 0, physical: 0}),
  ...(claimInfo(vmi, volume).preallocated === true ? {preallocated: true} : {}),
});

const claimInfo = (vmi: VirtualMachineInstance, volume: string): ClaimInfo =>
  vmi.status?.volumeStatus?.find(({name}) => name === volume)?.persistentVolumeClaimInfo ?? {};

/** Disks are made of 512-byte sectors. */
const sectors = (bytes: number): number => Math.ceil(bytes / 512) * 512;
