/** Disks as the native engine is told of them: raw, and open. */
import {type FileStep, rawEmptyDiskPath, seedPath} from '@wherry/api';
import {unsupportedMachine} from '../../errors.ts';
import type {MachineDisk} from '../../machine/disks.ts';
import {DISK_PREFIX} from '../device-names.ts';
import {deviceDescriptor} from '../plan-parts.ts';
import {Blank, type Value} from './text.ts';

/** Where the bytes of a disk are. */
type Place = {readonly path: string; readonly step?: FileStep} | {readonly descriptor: string};

const placeOf = (disk: MachineDisk, index: number): Place => {
  const {name, source} = disk;
  switch (source.from) {
    case 'claim': {
      const {path, bytes} = source;
      return {path, ...(source.readOnly === true ? {} : {step: {make: 'raw', path, bytes}})};
    }
    case 'empty': {
      const path = rawEmptyDiskPath(name);
      return {path, step: {make: 'raw', path, bytes: source.bytes}};
    }
    case 'seed': {
      const {from: _, ...content} = source;
      const path = seedPath(name);
      return {path, step: {make: 'iso', path, ...content}};
    }
    case 'device':
      return {descriptor: deviceDescriptor(disk, index) ?? ''};
    case 'image':
    case 'ephemeral':
    case 'ephemeralDevice':
      throw unsupportedMachine(`the native engine has no overlay for the disk ${name}: use a claim, or QEMU`);
  }
};

export const diskFiles = (disks: readonly MachineDisk[]): readonly FileStep[] =>
  disks.flatMap((disk, index) => {
    const place = placeOf(disk, index);
    return 'path' in place ? (place.step ?? []) : [];
  });

/** The open image, used without the node's cache where storage takes blocks as small as the guest's; a device has come so. */
const image = ({readOnly, cache}: MachineDisk, place: Place): Blank => {
  if ('descriptor' in place) return Blank.descriptor(place.descriptor);
  const isCached = cache === 'writethrough' || cache === 'writeback';
  return Blank.file(place.path, `${readOnly ? 'ro' : 'rw'}${isCached ? '' : ',auto'}`);
};

/** What a write that is done means; without a word of the guest's own it is on the storage. */
const cacheOf = ({cache}: MachineDisk, place: Place): Value => {
  switch (cache) {
    case 'none':
    case 'writeback':
      return 'writeback';
    case 'writethrough':
    case 'directsync':
      return 'writethrough';
    case 'auto':
      return 'path' in place ? Blank.byDirectIo(place.path, 'writeback', 'writethrough') : 'writeback';
  }
};

const blockSizes = ({blockSizes: sizes, source}: MachineDisk, place: Place): Record<string, Value | undefined> => {
  if (sizes === undefined) return {};
  if (sizes !== 'volume')
    return {
      logicalBlockSize: sizes.logical,
      physicalBlockSize: sizes.physical,
      discardGranularity: sizes.discardGranularity === 0 ? undefined : sizes.discardGranularity,
    };
  if ('logical' in source) return {logicalBlockSize: source.logical, physicalBlockSize: source.physical};
  if (!('path' in place)) return {};
  return {logicalBlockSize: Blank.blockSize(place.path), physicalBlockSize: Blank.blockSize(place.path)};
};

/** TRIM of the guest frees space on the host, but for what was filled so that it never is short of it. */
const discards = ({source}: MachineDisk): boolean => !('preallocated' in source && source.preallocated);

/** @throws DaemonError UNSUPPORTED_MACHINE for a disk over the image of another */
export const diskOf = (disk: MachineDisk, index: number): Value => {
  const place = placeOf(disk, index);
  return {
    kind: 'block',
    fd: image(disk, place),
    name: `${DISK_PREFIX}${disk.name}`,
    readOnly: disk.readOnly,
    serial: disk.serial,
    ...blockSizes(disk, place),
    cache: cacheOf(disk, place),
    discard: discards(disk),
    onError: disk.errorPolicy,
  };
};
