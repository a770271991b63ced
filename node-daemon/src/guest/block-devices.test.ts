import {expect, test} from '@jest/globals';
import type {BlockDeviceOptions} from '@wherry/native';
import type {DiskSource} from '../machine/disk-source.ts';
import {disk} from '../testing/machines.ts';
import {openBlockDevices} from './block-devices.ts';

const device: DiskSource = {from: 'device', path: '/dev/wherry/a', bytes: 0, logical: 0, physical: 0};
const below: DiskSource = {...device, from: 'ephemeralDevice', path: '/dev/wherry/b'};
const process = {pid: 7, pidfd: 8};

/** A node on which every device can be opened; it remembers how. */
const node = (logical = 512) => {
  const asked: (readonly [path: string, options: BlockDeviceOptions])[] = [];
  const closed: number[] = [];
  return {
    asked,
    closed,
    host: {
      close: (fd: number) => void closed.push(fd),
      openBlockDevice: async (of: object, path: string, options: BlockDeviceOptions) => {
        expect(of).toBe(process);
        asked.push([path, options]);
        return {fd: 100 + asked.length, bytes: 4096, logical, physical: 4096};
      },
    },
  };
};

test('devices are opened as their disks use them, and nothing else is', async () => {
  const {host, asked} = node();
  const kept: number[][] = [];
  const disks = [
    disk('plain', {from: 'empty', bytes: 512}),
    disk('a', device, {cache: 'none'}),
    disk('b', below),
    disk('c', device, {cache: 'directsync', readOnly: true}),
    disk('d', device, {cache: 'writethrough'}),
  ];
  const devices = await openBlockDevices(host, process, disks, true, (index, fd) => kept.push([index, fd]));
  expect(asked).toEqual([
    ['/dev/wherry/a', {readOnly: false, direct: true}],
    ['/dev/wherry/b', {readOnly: true, direct: false}],
    ['/dev/wherry/a', {readOnly: true, direct: true}],
    ['/dev/wherry/a', {readOnly: false, direct: false}],
  ]);
  expect(kept).toEqual([
    [1, 101],
    [2, 102],
    [3, 103],
    [4, 104],
  ]);
  expect(devices.get('a')).toEqual({bytes: 4096, logical: 512, physical: 4096});
  expect([...devices.keys()]).toEqual(['a', 'b', 'c', 'd']);
});

test('what was opened before one fails is kept, so that it can be closed', async () => {
  const {host} = node();
  const kept: number[] = [];
  const failing = {
    ...host,
    openBlockDevice: async (of: typeof process, path: string, options: BlockDeviceOptions) => {
      if (path === '/dev/wherry/b') throw new Error('no such device');
      return host.openBlockDevice(of, path, options);
    },
  };
  const disks = [disk('a', device), disk('b', below)];
  await expect(openBlockDevices(failing, process, disks, true, (_, fd) => kept.push(fd))).rejects.toThrow(
    'no such device',
  );
  expect(kept).toEqual([101]);
});

test('an engine that does not align requests has the cache where the blocks of the storage are larger than the guest knows', async () => {
  const {host, asked, closed} = node(4096);
  const disks = [
    disk('a', device, {cache: 'none'}),
    disk('b', device, {cache: 'none', blockSizes: 'volume'}),
    disk('c', device, {cache: 'none', blockSizes: {logical: 4096, physical: 4096}}),
    disk('d', device, {cache: 'writeback'}),
  ];
  const kept: number[] = [];
  await openBlockDevices(host, process, disks, false, (_, fd) => kept.push(fd));
  expect(asked.map(([, {direct}]) => direct)).toEqual([true, false, true, true, false]);
  expect(closed).toEqual([101]);
  expect(kept).toEqual([102, 103, 104, 105]);
});
