/** Where the bytes of a disk come from. */
import {bytesOf, type IsoEntry, type VirtualMachineInstance, type Volume, volumePath} from '@wherry/api';
import {DaemonError, unsupportedMachine} from '../errors.ts';
import {inImage} from './in-image.ts';
import {seedEntries} from './seed.ts';

/** Paths are inside the pod. */
export type DiskSource =
  /** Read through an overlay; what the guest writes is lost with the pod. */
  | {readonly from: 'image'; readonly backing: string}
  /** A raw file on a claim, made with this many bytes where it is missing. */
  | {readonly from: 'claim'; readonly path: string; readonly bytes: number; readonly preallocated?: boolean}
  | {readonly from: 'empty'; readonly bytes: number}
  | {readonly from: 'seed'; readonly label: string; readonly entries: readonly IsoEntry[]};

/** By what a guest knows itself. */
export interface SeedIdentity {
  readonly uuid: string;
  readonly hostname: string;
}

/** @throws DaemonError UNSUPPORTED_MACHINE, NOT_READY (a claim's size is not published yet) */
export const sourceOf = (vmi: VirtualMachineInstance, volume: Volume, identity: SeedIdentity): DiskSource => {
  const mount = volumePath(volume.name);
  if (volume.containerDisk !== undefined)
    return {from: 'image', backing: inImage(mount, volume.containerDisk.path ?? '/disk')};
  if (volume.persistentVolumeClaim !== undefined) return claimFile(vmi, volume.name);
  if (volume.emptyDisk !== undefined) return {from: 'empty', bytes: sectors(bytesOf(volume.emptyDisk.capacity))};
  if (volume.cloudInitNoCloud !== undefined)
    return {from: 'seed', label: 'cidata', entries: seedEntries(volume.name, volume.cloudInitNoCloud, identity)};
  throw unsupportedMachine(`volume ${volume.name} has no source that this version knows: use a containerDisk`);
};

type ClaimInfo = NonNullable<
  NonNullable<NonNullable<VirtualMachineInstance['status']>['volumeStatus']>[number]['persistentVolumeClaimInfo']
>;

/** The operator publishes what the claim holds; the launcher trims it to what its filesystem has free. */
const claimFile = (vmi: VirtualMachineInstance, volume: string): DiskSource => {
  const {capacity, preallocated} = claimInfo(vmi, volume);
  const bytes = capacity?.['storage'];
  if (bytes === undefined)
    throw new DaemonError('NOT_READY', `the size of the claim behind volume ${volume} is not known yet`);
  return {
    from: 'claim',
    path: `${volumePath(volume)}/disk.img`,
    bytes: sectors(bytesOf(bytes)),
    ...(preallocated === true ? {preallocated} : {}),
  };
};

const claimInfo = (vmi: VirtualMachineInstance, volume: string): ClaimInfo =>
  vmi.status?.volumeStatus?.find(({name}) => name === volume)?.persistentVolumeClaimInfo ?? {};

/** Disks are made of 512-byte sectors. */
const sectors = (bytes: number): number => Math.ceil(bytes / 512) * 512;
