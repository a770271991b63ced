import {expect, test} from '@jest/globals';
import {diskCounters, failedDisks, guestMemory, vcpuThreads} from './stats.ts';

const stats = {
  rd_bytes: 4096,
  wr_bytes: 512,
  rd_operations: 2,
  wr_operations: 1,
  flush_operations: 3,
  rd_total_time_ns: 2e9,
};

test('disks go by the name of their volume, whichever way QEMU names the device', () => {
  const counters = diskCounters([
    {qdev: '/machine/peripheral/disk-root/virtio-backend', stats},
    {qdev: 'disk-seed', stats},
    {'node-name': 'internal', stats},
  ]);
  expect(counters.map(({disk}) => disk)).toEqual(['root', 'seed']);
  expect(counters[0]).toEqual({
    disk: 'root',
    readBytes: 4096,
    writtenBytes: 512,
    reads: 2,
    writes: 1,
    flushes: 3,
    readSeconds: 2,
    writeSeconds: 0,
    flushSeconds: 0,
  });
});

test('what an engine should never say counts as nothing', () => {
  expect(diskCounters(null as never)).toEqual([]);
  expect(diskCounters([{qdev: 7 as never, stats}, {qdev: 'disk-a'}])).toEqual([]);
  expect(diskCounters([{qdev: 'disk-a', stats: {rd_bytes: -1, wr_bytes: 'x' as never}}])[0]).toMatchObject({
    readBytes: 0,
    writtenBytes: 0,
  });
  expect(vcpuThreads({} as never)).toEqual([]);
});

test('the balloon tells what the guest has told it, and no more', () => {
  const unsaid = 2 ** 64;
  const said = {stats: {'stat-free-memory': 100, 'stat-total-memory': 200, 'stat-swap-in': unsaid}, 'last-update': 1};
  expect(guestMemory({actual: 256}, said)).toEqual({actual: 256, unused: 100, available: 200});
  expect(guestMemory({actual: 256}, 'nonsense')).toEqual({actual: 256});
});

test('vCPUs are matched with their threads', () => {
  expect(
    vcpuThreads([
      {'cpu-index': 0, 'thread-id': 11},
      {'cpu-index': 1, 'thread-id': 12},
    ] as never),
  ).toEqual([
    {vcpu: 0, thread: 11},
    {vcpu: 1, thread: 12},
  ]);
});

const block = (qdev: string | undefined, status: string | undefined) =>
  ({device: '', qdev, 'io-status': status}) as never;

test('a disk that failed is named by its volume, and whether it is full', () => {
  expect(
    failedDisks([
      block('/machine/peripheral/disk-root/virtio-backend', 'ok'),
      block('/machine/peripheral/disk-data/virtio-backend', 'nospace'),
      block('disk-old', 'failed'),
      block(undefined, 'failed'),
      block('disk-none', undefined),
    ]),
  ).toEqual([
    {disk: 'data', full: true},
    {disk: 'old', full: false},
  ]);
  expect(failedDisks({} as never)).toEqual([]);
});
