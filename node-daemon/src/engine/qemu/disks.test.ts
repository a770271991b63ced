import {expect, test} from '@jest/globals';
import type {DiskSource} from '../../machine/disk-source.ts';
import type {MachineDisk} from '../../machine/disks.ts';
import {disk} from '../../testing/machines.ts';
import {parsedArg} from '../../testing/qemu-args.ts';
import {diskDescriptors} from '../plan-parts.ts';
import {diskArgs, diskFiles} from './disks.ts';

const empty: DiskSource = {from: 'empty', bytes: 1024};
const claim: DiskSource = {from: 'claim', path: '/c/disk.img', bytes: 1024};

type Json = Record<string, unknown>;

/** The arguments of these disks, as option and value. */
const options = (...disks: readonly MachineDisk[]): readonly (readonly [option: string, value: Json])[] => {
  let ports = 0;
  const boot = disks.map(() => undefined);
  const args = diskArgs(disks, boot, () => `rp${ports++}`);
  return args.flatMap((arg, at) =>
    arg.startsWith('-') && arg !== '-add-fd' ? [[arg, parsedArg(args[at + 1] ?? '')] as const] : [],
  );
};

const found = (option: string, ...disks: readonly MachineDisk[]): readonly Json[] =>
  options(...disks)
    .filter(([name]) => name === option)
    .map(([, value]) => value);

const device = (overrides: Partial<MachineDisk>): Json => found('-device', disk('a', empty, overrides)).at(-1)!;
const blockdev = (overrides: Partial<MachineDisk>): Json => found('-blockdev', disk('a', empty, overrides))[0]!;

test('a disk that says nothing has the arguments that it always had, and stops the guest when its storage fails', () => {
  expect(options(disk('a', empty))).toEqual([
    [
      '-blockdev',
      {
        driver: 'qcow2',
        'node-name': 'node0',
        'read-only': false,
        discard: 'unmap',
        file: {driver: 'file', filename: '/var/lib/wherry/a.empty.qcow2', 'read-only': false, discard: 'unmap'},
      },
    ],
    ['-device', {driver: 'virtio-blk-pci', bus: 'rp0', id: 'disk-a', drive: 'node0', rerror: 'stop', werror: 'stop'}],
  ]);
});

test('disks and cdroms have a device for each bus', () => {
  const devices = found(
    '-device',
    disk('a', empty, {bus: 'scsi'}),
    disk('b', empty, {bus: 'sata', kind: 'cdrom'}),
    disk('c', empty),
    disk('d', empty, {bus: 'sata'}),
    disk('e', empty, {bus: 'scsi', kind: 'cdrom'}),
  );
  expect(devices).toEqual([
    // Behind the ports of virtio disks.
    {driver: 'virtio-scsi-pci', id: 'scsi0', bus: 'rp1'},
    expect.objectContaining({driver: 'scsi-hd', bus: 'scsi0.0', channel: 0, 'scsi-id': 0, lun: 0}),
    expect.objectContaining({driver: 'ide-cd', bus: 'ide.0'}),
    expect.objectContaining({driver: 'virtio-blk-pci', bus: 'rp0'}),
    expect.objectContaining({driver: 'ide-hd', bus: 'ide.1'}),
    expect.objectContaining({driver: 'scsi-cd', bus: 'scsi0.0', lun: 1}),
  ]);
});

const sata = (count: number) => Array.from({length: count}, (_, at) => disk(`d${at}`, empty, {bus: 'sata'}));

test('a seventh device on sata is refused', () => {
  expect(found('-device', ...sata(6)).at(-1)).toMatchObject({bus: 'ide.5'});
  expect(() => options(...sata(7))).toThrow(/room for 6 disks and cdroms on sata, not 7/);
});

test('the guest sees the serial number', () => {
  expect(device({serial: 'S-1'})).toMatchObject({serial: 'S-1'});
});

test.each([
  ['none', {direct: true}, undefined],
  ['directsync', {direct: true}, 'off'],
  ['writethrough', undefined, 'off'],
  ['writeback', undefined, undefined],
] as const)('cache %s', (cache, node, write) => {
  const args = blockdev({cache});
  expect([args['cache'], (args['file'] as Json)['cache']]).toEqual([node, node]);
  expect(device({cache})['write-cache']).toBe(write);
});

test('a cache that depends on the storage is left for the launcher to fill in, without the quotes of a text', () => {
  const args = diskArgs([disk('a', claim, {cache: 'auto'})], [undefined], () => 'rp0');
  expect(args[1]).toContain('"cache":{"direct":{direct:/c/disk.img?true:false}}');
  expect(args[3]).toContain('"write-cache":"{direct:/c/disk.img?on:off}"');
});

test.each([
  ['none', 'native', 'native'],
  ['directsync', 'native', 'native'],
  ['auto', 'native', '{direct:/var/lib/wherry/a.empty.qcow2?native:threads}'],
  ['writeback', 'native', undefined],
  ['none', 'threads', undefined],
] as const)('cache %s with %s input and output', (cache, io, aio) => {
  expect((blockdev({cache, io})['file'] as Json)['aio']).toBe(aio);
});

test.each([
  ['stop', 'stop', 'stop'],
  ['report', 'report', 'report'],
  ['ignore', 'ignore', 'ignore'],
  ['enospace', 'report', 'enospc'],
] as const)('error policy %s', (errorPolicy, rerror, werror) => {
  expect(device({errorPolicy})).toMatchObject({rerror, werror});
});

test('block sizes are those that are given', () => {
  expect(device({blockSizes: {logical: 4096, physical: 8192}})).toMatchObject({
    logical_block_size: 4096,
    physical_block_size: 8192,
  });
  expect(device({blockSizes: {logical: 512, physical: 512, discardGranularity: 0}})).toMatchObject({
    discard_granularity: 0,
  });
});

test('block sizes of the volume are left for the launcher to fill in; on sata all but the physical one stay', () => {
  const size = '{blocksize:/var/lib/wherry/a.empty.qcow2}';
  const sizesOf = (overrides: Partial<MachineDisk>) =>
    Object.entries(device({blockSizes: 'volume', ...overrides})).filter(([, value]) => value === size);
  expect(sizesOf({}).map(([name]) => name)).toEqual([
    'logical_block_size',
    'physical_block_size',
    'discard_granularity',
  ]);
  expect(sizesOf({bus: 'sata'}).map(([name]) => name)).toEqual(['physical_block_size']);
});

test('threads are made once and named by the disks that they serve', () => {
  const args = [
    disk('a', empty, {ioThreads: [1]}),
    disk('b', empty, {ioThreads: [2]}),
    disk('c', empty, {ioThreads: [1]}),
  ];
  expect(found('-object', ...args)).toEqual([
    {'qom-type': 'iothread', id: 'iothread1'},
    {'qom-type': 'iothread', id: 'iothread2'},
  ]);
  expect(found('-device', ...args).map(({iothread}) => iothread)).toEqual(['iothread1', 'iothread2', 'iothread1']);
});

test('a disk that several threads serve spreads its queues over them', () => {
  expect(device({ioThreads: [1, 2]})).toMatchObject({
    'iothread-vq-mapping': [{iothread: 'iothread1'}, {iothread: 'iothread2'}],
  });
});

test('a disk whose storage was filled gives nothing back to it', () => {
  const [args] = found('-blockdev', disk('a', {...claim, preallocated: true}));
  expect(args).toMatchObject({discard: 'ignore', file: {discard: 'ignore'}});
});

test('an ephemeral disk is an overlay whose backing is raw, whatever is on it', () => {
  expect(diskFiles([disk('a', {from: 'ephemeral', backing: '/c/disk.img'})])).toEqual([
    {make: 'overlay', path: '/var/lib/wherry/a.overlay.qcow2', backing: '/c/disk.img', format: 'raw'},
  ]);
});

test('a claim that is only read is not made', () => {
  const read = disk('a', {...claim, readOnly: true}, {readOnly: true});
  expect(diskFiles([read])).toEqual([]);
  expect(found('-blockdev', read)[0]).toMatchObject({'read-only': true, file: {filename: '/c/disk.img'}});
});

test('an image of files is made from those of its folder too', () => {
  const source: DiskSource = {from: 'seed', label: 'cfgdata', entries: [], folder: '/v/a', needs: ['a.xml']};
  expect(diskFiles([disk('a', source)])).toEqual([
    {make: 'iso', path: '/var/lib/wherry/a.seed.iso', label: 'cfgdata', entries: [], folder: '/v/a', needs: ['a.xml']},
  ]);
});

const device0: DiskSource = {from: 'device', path: '/dev/wherry/a', bytes: 8192, logical: 512, physical: 4096};

test('a device comes as a descriptor in a set of its own', () => {
  const one = disk('a', device0, {cache: 'none', io: 'native'});
  const args = diskArgs([disk('z', empty), one], [undefined, undefined], () => 'rp0');
  expect(args).toContain('fd={fd:disk1},set=17,opaque=disk1');
  expect(diskDescriptors([disk('z', empty), one])).toEqual(['disk1']);
  expect(diskFiles([one])).toEqual([]);
  const direct = {'read-only': false, discard: 'unmap', cache: {direct: true}};
  expect(parsedArg(args[args.indexOf('fd={fd:disk1},set=17,opaque=disk1') + 2] ?? '')).toEqual({
    driver: 'raw',
    'node-name': 'node1',
    ...direct,
    file: {driver: 'host_device', filename: '/dev/fdset/17', ...direct, aio: 'native'},
  });
});

test('an overlay over a device reads what is below it by its descriptor', () => {
  const one = disk('a', {...device0, from: 'ephemeralDevice'});
  expect(diskFiles([one])).toEqual([{make: 'qcow2', path: '/var/lib/wherry/a.overlay.qcow2', bytes: 8192}]);
  expect(diskDescriptors([one])).toEqual(['disk0']);
  const args = diskArgs([one], [undefined], () => 'rp0');
  expect(args[1]).toBe('fd={fd:disk0},set=16,opaque=disk0');
  expect(parsedArg(args[3] ?? '')).toEqual({
    driver: 'raw',
    'node-name': 'base0',
    'read-only': true,
    file: {driver: 'host_device', filename: '/dev/fdset/16', 'read-only': true},
  });
  expect(parsedArg(args[5] ?? '')).toMatchObject({driver: 'qcow2', backing: 'base0', file: {driver: 'file'}});
});

test('block sizes of a device are its own', () => {
  expect(found('-device', disk('a', device0, {blockSizes: 'volume'}))[0]).toMatchObject({
    logical_block_size: 512,
    physical_block_size: 4096,
  });
});
