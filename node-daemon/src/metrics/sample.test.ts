import {expect, test} from '@jest/globals';
import type {DiskCounters} from '../engine/engine.ts';
import {instance} from '../testing/instances.ts';
import {believed} from './sample.ts';

const counters = (disk: string, reads = 1): DiskCounters => ({
  disk,
  readBytes: 0,
  writtenBytes: 0,
  reads,
  writes: 0,
  flushes: 0,
  readSeconds: 0,
  writeSeconds: 0,
  flushSeconds: 0,
});

const vmi = instance({
  domain: {devices: {disks: [{name: 'root'}, {name: 'seed'}]}},
  status: {currentCPUTopology: {sockets: 1, cores: 2, threads: 1}},
});

test('an engine is believed about the disks and vCPUs that there are, each once', () => {
  const stats = believed(
    {
      disks: [counters('root'), counters('made-up'), counters('root', 7)],
      vcpuThreads: [
        {vcpu: 1, thread: 5},
        {vcpu: 2, thread: 5},
        {vcpu: 9_000_000, thread: 5},
      ],
      memory: undefined,
    },
    vmi,
  );
  expect(stats.disks).toEqual([counters('root', 7)]);
  expect(stats.vcpuThreads).toEqual([{vcpu: 1, thread: 5}]);
});

test('a thousand names that were made up make no series', () => {
  const disks = Array.from({length: 1000}, (_, at) => counters(`d${at}`));
  const vcpuThreads = Array.from({length: 1000}, (_, vcpu) => ({vcpu, thread: 1}));
  const stats = believed({disks, vcpuThreads, memory: undefined}, vmi);
  expect([stats.disks.length, stats.vcpuThreads.length]).toEqual([0, 2]);
});
