/** Disks as arguments of QEMU: a block node for the bytes, and a device that the guest sees. */
import type {FileStep} from '@wherry/api';
import {unsupportedMachine} from '../../errors.ts';
import type {BootIndices} from '../../machine/boot-order.ts';
import type {MachineDisk} from '../../machine/disks.ts';
import {DISK_PREFIX} from '../device-names.ts';
import {type Args, blockSizeOf, byDirectIo, json} from './args.ts';
import {deviceSet, type Image, imageOf} from './disk-image.ts';

/** Ports of the machine's own SATA controller. */
const MAX_SATA = 6;
const SCSI_CONTROLLER = 'scsi0';

export const diskFiles = (disks: readonly MachineDisk[]): readonly FileStep[] =>
  disks.flatMap((disk, index) => imageOf(disk, index).step ?? []);

/** Names of block nodes are at most 31 characters: volumes go by their position. */
const node = (index: number): string => `node${index}`;

const thread = (number: number): string => `iothread${number}`;

/** TRIM of the guest frees space on the host, but for what was filled so that it never is short of it. */
const discard = ({source}: MachineDisk): 'unmap' | 'ignore' =>
  'preallocated' in source && source.preallocated ? 'ignore' : 'unmap';

/** `cache` for the node; QEMU's own default is the node's page cache. */
const nodeCache = ({cache}: MachineDisk, {path}: Image): object => {
  switch (cache) {
    case 'none':
    case 'directsync':
      return {cache: {direct: true}};
    case 'auto':
      return {cache: {direct: byDirectIo(path, 'true', 'false')}};
    case 'writethrough':
    case 'writeback':
      return {};
  }
};

/** The kernel takes requests without waiting only where there is no cache. */
const aio = ({io, cache}: MachineDisk, {path}: Image): object => {
  if (io === 'threads' || cache === 'writethrough' || cache === 'writeback') return {};
  return {aio: cache === 'auto' ? byDirectIo(path, 'native', 'threads') : 'native'};
};

/** Locks keep a second engine away from a shared disk. */
const blockdev = (disk: MachineDisk, index: number): Args => {
  const image = imageOf(disk, index);
  const cache = nodeCache(disk, image);
  const shared = {'read-only': disk.readOnly, discard: discard(disk), ...cache};
  const backing = `base${index}`;
  return [
    ...deviceSet(disk, index),
    ...(image.backing === undefined
      ? []
      : json('-blockdev', {
          driver: 'raw',
          'node-name': backing,
          'read-only': true,
          ...cache,
          file: {driver: 'host_device', filename: image.backing, 'read-only': true, ...cache},
        })),
    ...json('-blockdev', {
      driver: image.format,
      'node-name': node(index),
      ...shared,
      ...(image.backing === undefined ? {} : {backing}),
      file: {driver: image.driver, filename: image.path, ...shared, ...aio(disk, image)},
    }),
  ];
};

/** What the guest is told of a cache that it has to flush. */
const writeCache = ({cache}: MachineDisk, {path}: Image): object => {
  switch (cache) {
    case 'writethrough':
    case 'directsync':
      return {'write-cache': 'off'};
    case 'auto':
      return {'write-cache': byDirectIo(path, 'on', 'off')};
    case 'none':
    case 'writeback':
      return {};
  }
};

/** A full storage is told apart from a broken one only where the guest writes. */
const errorPolicies = {
  stop: {rerror: 'stop', werror: 'stop'},
  report: {rerror: 'report', werror: 'report'},
  ignore: {rerror: 'ignore', werror: 'ignore'},
  enospace: {rerror: 'report', werror: 'enospc'},
} as const;

const blockSizes = ({blockSizes: sizes, bus, source}: MachineDisk, {path}: Image): object => {
  if (sizes === undefined) return {};
  if (sizes === 'volume') {
    const {logical, physical} =
      'logical' in source ? source : {logical: blockSizeOf(path), physical: blockSizeOf(path)};
    // On SATA the guest always addresses 512 bytes.
    if (bus === 'sata') return {physical_block_size: physical};
    return {logical_block_size: logical, physical_block_size: physical, discard_granularity: logical};
  }
  const {logical, physical, discardGranularity} = sizes;
  return {
    logical_block_size: logical,
    physical_block_size: physical,
    ...(discardGranularity === undefined ? {} : {discard_granularity: discardGranularity}),
  };
};

const threads = (numbers: readonly number[]): object => {
  if (numbers.length === 0) return {};
  if (numbers.length === 1) return {iothread: thread(numbers[0]!)};
  return {'iothread-vq-mapping': numbers.map(number => ({iothread: thread(number)}))};
};

/** Where a disk is plugged in. */
type Place =
  | {readonly bus: 'virtio'; readonly port: string}
  | {readonly bus: 'sata'; readonly port: number}
  | {readonly bus: 'scsi'; readonly lun: number};

const device = (disk: MachineDisk, index: number, place: Place, bootIndex: number | undefined): Args => {
  const image = imageOf(disk, index);
  const shared = {
    id: `${DISK_PREFIX}${disk.name}`,
    drive: node(index),
    ...(bootIndex === undefined ? {} : {bootindex: bootIndex}),
    ...(disk.serial === undefined ? {} : {serial: disk.serial}),
    ...errorPolicies[disk.errorPolicy],
    ...writeCache(disk, image),
    ...blockSizes(disk, image),
  };
  switch (place.bus) {
    case 'virtio':
      return json('-device', {driver: 'virtio-blk-pci', bus: place.port, ...shared, ...threads(disk.ioThreads)});
    case 'sata':
      return json('-device', {
        driver: disk.kind === 'cdrom' ? 'ide-cd' : 'ide-hd',
        bus: `ide.${place.port}`,
        ...shared,
      });
    case 'scsi':
      return json('-device', {
        driver: disk.kind === 'cdrom' ? 'scsi-cd' : 'scsi-hd',
        bus: `${SCSI_CONTROLLER}.0`,
        channel: 0,
        'scsi-id': 0,
        lun: place.lun,
        ...shared,
      });
  }
};

/** Gives each disk its place; `port` hands out the bus of the next free root port. */
const placesOf = (disks: readonly MachineDisk[], port: () => string): readonly Place[] => {
  const taken = {sata: 0, scsi: 0};
  const places = disks.map(({bus}): Place => {
    switch (bus) {
      case 'virtio':
        return {bus, port: port()};
      case 'sata':
        return {bus, port: taken.sata++};
      case 'scsi':
        return {bus, lun: taken.scsi++};
    }
  });
  if (taken.sata > MAX_SATA)
    throw unsupportedMachine(`a machine has room for ${MAX_SATA} disks and cdroms on sata, not ${taken.sata}`);
  return places;
};

/** @throws DaemonError UNSUPPORTED_MACHINE with too many disks on sata */
export const diskArgs = (disks: readonly MachineDisk[], boot: BootIndices['disks'], port: () => string): Args => {
  const places = placesOf(disks, port);
  const threadCount = Math.max(0, ...disks.flatMap(({ioThreads}) => ioThreads));
  return [
    ...Array.from({length: threadCount}, (_, at) =>
      json('-object', {'qom-type': 'iothread', id: thread(at + 1)}),
    ).flat(),
    // Behind the ports of all virtio disks, so that it moves none of them.
    ...(places.some(({bus}) => bus === 'scsi')
      ? json('-device', {driver: 'virtio-scsi-pci', id: SCSI_CONTROLLER, bus: port()})
      : []),
    ...disks.flatMap((disk, index) => [...blockdev(disk, index), ...device(disk, index, places[index]!, boot[index])]),
  ];
};
