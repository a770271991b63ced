import {emptyDiskPath, type FileStep, overlayPath, seedPath} from '@wherry/api';
import {unsupportedMachine} from '../../errors.ts';
import type {BootIndices} from '../../machine/boot-order.ts';
import type {MachineDisk} from '../../machine/disks.ts';
import {type Args, json} from './args.ts';
import {DISK_PREFIX} from './machine-type.ts';

/** SATA ports of the machine's own controller. */
const MAX_CDROMS = 6;

interface Image {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
  readonly step: FileStep;
}

/** The file behind a disk, and how it comes to be. Formats are always said: QEMU never guesses one from guest data. */
const imageOf = ({name, source}: MachineDisk): Image => {
  switch (source.from) {
    case 'image': {
      const path = overlayPath(name);
      return {path, format: 'qcow2', step: {make: 'overlay', path, backing: source.backing}};
    }
    case 'claim':
      return {path: source.path, format: 'raw', step: {make: 'raw', path: source.path, bytes: source.bytes}};
    case 'empty': {
      const path = emptyDiskPath(name);
      return {path, format: 'qcow2', step: {make: 'qcow2', path, bytes: source.bytes}};
    }
    case 'seed': {
      const path = seedPath(name);
      return {path, format: 'raw', step: {make: 'iso', path, label: source.label, entries: source.entries}};
    }
  }
};

export const diskFiles = (disks: readonly MachineDisk[]): readonly FileStep[] => disks.map(disk => imageOf(disk).step);

/** Names of block nodes are at most 31 characters: volumes go by their position. */
const node = (index: number): string => `node${index}`;

/** TRIM of the guest frees space on the host. Locks keep a second engine away from a shared disk. */
const blockdev = (disk: MachineDisk, index: number): Args => {
  const {path, format} = imageOf(disk);
  const shared = {'read-only': disk.readOnly, discard: 'unmap'};
  return json('-blockdev', {
    driver: format,
    'node-name': node(index),
    ...shared,
    file: {driver: 'file', filename: path, ...shared},
  });
};

/** `port` hands out the bus of the next free root port. */
const device = (
  disk: MachineDisk,
  index: number,
  bootIndex: number | undefined,
  cdrom: number,
  port: () => string,
): Args => {
  const boot = bootIndex === undefined ? {} : {bootindex: bootIndex};
  const shared = {id: `${DISK_PREFIX}${disk.name}`, drive: node(index), ...boot};
  return disk.kind === 'cdrom'
    ? json('-device', {driver: 'ide-cd', bus: `ide.${cdrom}`, ...shared})
    : json('-device', {driver: 'virtio-blk-pci', bus: port(), ...shared});
};

/** @throws DaemonError UNSUPPORTED_MACHINE with too many cdroms */
export const diskArgs = (disks: readonly MachineDisk[], boot: BootIndices['disks'], port: () => string): Args => {
  const cdroms = disks.filter(({kind}) => kind === 'cdrom');
  if (cdroms.length > MAX_CDROMS)
    throw unsupportedMachine(`a machine has room for ${MAX_CDROMS} cdroms, not ${cdroms.length}`);
  return disks.flatMap((disk, index) => [
    ...blockdev(disk, index),
    ...device(disk, index, boot[index], cdroms.indexOf(disk), port),
  ]);
};
