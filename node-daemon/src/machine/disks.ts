/** The disks of a machine: where the bytes of each come from, and what the guest sees of it. */
import type {Disk, EffectiveSpec, VirtualMachineInstance} from '@wherry/api';
import {unsupportedMachine} from '../errors.ts';
import {type Devices, type DiskSource, sourceOf} from './disk-source.ts';
import {ioThreadsOf} from './io-threads.ts';
import type {SeedIdentity} from './seed.ts';

export type DiskBus = 'virtio' | 'sata' | 'scsi';

/** How the node caches a disk. `auto` is none where the storage can do without a cache, else writethrough. */
export type DiskCache = 'none' | 'writethrough' | 'writeback' | 'directsync' | 'auto';

export interface BlockSizes {
  readonly logical: number;
  readonly physical: number;
  readonly discardGranularity?: number;
}

export interface MachineDisk {
  /** Of the volume. */
  readonly name: string;
  readonly kind: 'disk' | 'cdrom';
  readonly bus: DiskBus;
  readonly readOnly: boolean;
  readonly bootOrder?: number;
  readonly serial?: string;
  readonly cache: DiskCache;
  readonly io: 'native' | 'threads';
  readonly errorPolicy: 'stop' | 'report' | 'ignore' | 'enospace';
  /** `volume`: those of what holds the image. 512 bytes where it is left out. */
  readonly blockSizes?: BlockSizes | 'volume';
  /** Numbers of the threads that serve it; none where it is the thread that serves everything. */
  readonly ioThreads: readonly number[];
  /** What Linux calls it: `vda` on virtio, else `sda`. */
  readonly target: string;
  readonly source: DiskSource;
}

/** What node and launcher give to every disk. */
export interface DiskFacts {
  /** Whether the launcher finds out if storage can do without a cache. Defaults to true; false before protocol 2. */
  readonly launcherLooks?: boolean;
  /** The block devices of claims, once they are open. */
  readonly devices?: Devices;
}

/** @throws DaemonError UNSUPPORTED_MACHINE, NOT_READY (a claim's size is not published yet) */
export const disksOf = (
  vmi: VirtualMachineInstance,
  spec: EffectiveSpec,
  identity: SeedIdentity,
  facts: DiskFacts,
): readonly MachineDisk[] => {
  const {disks} = spec.domain.devices;
  const buses = disks.map(busOf);
  const threads = ioThreadsOf(
    spec.domain,
    disks.map((disk, at) => ({virtio: buses[at] === 'virtio', dedicated: disk.dedicatedIOThread === true})),
  );
  const nextTarget = targets();
  return disks.map((disk, at): MachineDisk => {
    const volume = spec.volumes?.find(({name}) => name === disk.name);
    if (volume === undefined)
      throw unsupportedMachine(`disk ${disk.name} has no volume: add one of that name to volumes`);
    const source = sourceOf(vmi, volume, identity, facts.devices ?? new Map());
    const bus = buses[at] ?? 'virtio';
    return {
      name: disk.name,
      kind: disk.cdrom === undefined ? 'disk' : 'cdrom',
      bus,
      readOnly: isReadOnly(disk, bus, source) || volume.persistentVolumeClaim?.readOnly === true,
      ...optionalsOf(disk),
      cache: word(disk.cache) ?? defaultCache(source, facts),
      io: word(disk.io) ?? defaultIo(source),
      errorPolicy: word(disk.errorPolicy) ?? 'stop',
      ioThreads: threads[at] ?? [],
      target: nextTarget(bus),
      source,
    };
  });
};

const busOf = ({disk, cdrom}: Disk): DiskBus => cdrom?.bus ?? disk?.bus ?? 'virtio';

/** An empty word says nothing. */
const word = <W extends string>(value: W | undefined): Exclude<W, ''> | undefined =>
  value === undefined || value === '' ? undefined : (value as Exclude<W, ''>);

const optionalsOf = ({
  bootOrder,
  serial,
  blockSize,
}: Disk): Pick<MachineDisk, 'bootOrder' | 'serial' | 'blockSizes'> => {
  const number = word(serial);
  const sizes =
    blockSize?.custom ??
    (blockSize?.matchVolume !== undefined && blockSize.matchVolume.enabled !== false ? 'volume' : undefined);
  return {
    ...(bootOrder === undefined ? {} : {bootOrder}),
    ...(number === undefined ? {} : {serial: number}),
    ...(sizes === undefined ? {} : {blockSizes: sizes}),
  };
};

/**
 * What is made anew at each start is read only: what a guest would write to it were lost without a word. But SATA has
 * no such disks.
 */
const isReadOnly = (disk: Disk, bus: DiskBus, source: DiskSource): boolean =>
  disk.cdrom !== undefined || disk.disk?.readonly === true || (source.from === 'seed' && bus !== 'sata');

/** What is lost at the end needs no storage to be sure of; it is read through the cache, which machines share. */
const defaultCache = ({from}: DiskSource, {launcherLooks = true}: DiskFacts): DiskCache => {
  // A block device always does without one.
  if (from === 'device') return 'none';
  if (from !== 'claim') return 'writeback';
  return launcherLooks ? 'auto' : 'writethrough';
};

/** Submitting to the kernel never waits on a device, nor where the storage was filled when it was made. */
const defaultIo = (source: DiskSource): MachineDisk['io'] =>
  source.from === 'device' || (source.from === 'claim' && source.preallocated === true) ? 'native' : 'threads';

/** Hands out names as Linux does, by the driver of the bus. */
const targets = (): ((bus: DiskBus) => string) => {
  const counts = {vd: 0, sd: 0};
  return bus => {
    const prefix = bus === 'virtio' ? 'vd' : 'sd';
    return `${prefix}${letters(counts[prefix]++)}`;
  };
};

/** a … z, aa, ab …, as Linux counts disks. */
const letters = (index: number): string =>
  (index < 26 ? '' : letters(Math.floor(index / 26) - 1)) + String.fromCodePoint(97 + (index % 26));
