/** The disks of a machine: where the bytes of each come from, and what the guest sees of it. */
import {
  bytesOf,
  type Disk,
  type EffectiveSpec,
  type IsoEntry,
  type VirtualMachineInstance,
  type Volume,
  volumePath,
} from '@wherry/api';
import {DaemonError, unsupportedMachine} from '../errors.ts';
import {inImage} from './in-image.ts';
import {seedEntries} from './seed.ts';

/** Where the bytes of a disk come from. Paths are inside the pod. */
export type DiskSource =
  /** Read through an overlay; what the guest writes is lost with the pod. */
  | {readonly from: 'image'; readonly backing: string}
  /** A raw file on a claim, made with this many bytes where it is missing. */
  | {readonly from: 'claim'; readonly path: string; readonly bytes: number}
  | {readonly from: 'empty'; readonly bytes: number}
  | {readonly from: 'seed'; readonly label: string; readonly entries: readonly IsoEntry[]};

export interface MachineDisk {
  /** Of the volume. */
  readonly name: string;
  readonly kind: 'disk' | 'cdrom';
  readonly readOnly: boolean;
  readonly bootOrder?: number;
  /** What Linux calls it: `vda`, or `sda` for a cdrom. */
  readonly target: string;
  readonly source: DiskSource;
}

/** @throws DaemonError UNSUPPORTED_MACHINE, NOT_READY (a claim's size is not published yet) */
export const disksOf = (
  vmi: VirtualMachineInstance,
  spec: EffectiveSpec,
  identity: {readonly uuid: string; readonly hostname: string},
): readonly MachineDisk[] => {
  const counts = {disk: 0, cdrom: 0};
  return spec.domain.devices.disks.map(disk => {
    const volume = spec.volumes?.find(({name}) => name === disk.name);
    if (volume === undefined)
      throw unsupportedMachine(`disk ${disk.name} has no volume: add one of that name to volumes`);
    const kind = disk.cdrom === undefined ? 'disk' : 'cdrom';
    const source = sourceOf(vmi, volume, identity);
    const target = `${kind === 'disk' ? 'vd' : 'sd'}${letters(counts[kind]++)}`;
    return {name: disk.name, kind, readOnly: isReadOnly(disk, source), target, source};
  });
};

/** A seed is made anew at each start: what a guest would write to it were lost without a word. */
const isReadOnly = (disk: Disk, source: DiskSource): boolean =>
  disk.cdrom !== undefined || disk.disk?.readonly === true || source.from === 'seed';

const sourceOf = (
  vmi: VirtualMachineInstance,
  volume: Volume,
  identity: {readonly uuid: string; readonly hostname: string},
): DiskSource => {
  const mount = volumePath(volume.name);
  if (volume.containerDisk !== undefined)
    return {from: 'image', backing: inImage(mount, volume.containerDisk.path ?? '/disk')};
  if (volume.persistentVolumeClaim !== undefined)
    return {from: 'claim', path: `${mount}/disk.img`, bytes: claimBytes(vmi, volume.name)};
  if (volume.emptyDisk !== undefined) return {from: 'empty', bytes: sectors(bytesOf(volume.emptyDisk.capacity))};
  if (volume.cloudInitNoCloud !== undefined)
    return {from: 'seed', label: 'cidata', entries: seedEntries(volume.name, volume.cloudInitNoCloud, identity)};
  throw unsupportedMachine(`volume ${volume.name} has no source that this version knows: use a containerDisk`);
};

/** The operator publishes what the claim holds; the launcher trims it to what its filesystem has free. */
const claimBytes = (vmi: VirtualMachineInstance, volume: string): number => {
  const status = vmi.status?.volumeStatus?.find(({name}) => name === volume);
  const capacity = status?.persistentVolumeClaimInfo?.capacity?.['storage'];
  if (capacity === undefined)
    throw new DaemonError('NOT_READY', `the size of the claim behind volume ${volume} is not known yet`);
  return sectors(bytesOf(capacity));
};

/** Disks are made of 512-byte sectors. */
const sectors = (bytes: number): number => Math.ceil(bytes / 512) * 512;

/** a … z, aa, ab …, as Linux counts disks. */
const letters = (index: number): string =>
  (index < 26 ? '' : letters(Math.floor(index / 26) - 1)) + String.fromCodePoint(97 + (index % 26));
