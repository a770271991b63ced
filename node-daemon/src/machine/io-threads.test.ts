import {expect, test} from '@jest/globals';
import {ioThreadsOf} from './io-threads.ts';

const plain = {virtio: true, dedicated: false};
const own = {virtio: true, dedicated: true};
const scsi = {virtio: false, dedicated: false};
const cores = (count: number) => ({cpu: {cores: count}});

test('without a policy and without a disk that asks for one there are no threads', () => {
  expect(ioThreadsOf(cores(2), [plain, scsi])).toEqual([[], []]);
  expect(ioThreadsOf({...cores(2), ioThreadsPolicy: ''}, [plain])).toEqual([[]]);
});

test('shared: one thread for all virtio disks', () => {
  expect(ioThreadsOf({...cores(8), ioThreadsPolicy: 'shared'}, [plain, scsi, plain])).toEqual([[1], [], [1]]);
});

test('a disk with a thread of its own leaves one thread to the others', () => {
  expect(ioThreadsOf(cores(1), [plain, own, plain])).toEqual([[1], [2], [1]]);
  expect(ioThreadsOf({...cores(1), ioThreadsPolicy: 'shared'}, [own, own])).toEqual([[1], [2]]);
});

test('auto: a thread for each disk, at most two for each vCPU, those in turn', () => {
  expect(ioThreadsOf({...cores(1), ioThreadsPolicy: 'auto'}, [plain, plain, plain])).toEqual([[1], [2], [1]]);
  expect(ioThreadsOf({...cores(2), ioThreadsPolicy: 'auto'}, [plain, plain, plain])).toEqual([[1], [2], [3]]);
});

test('auto: threads of their own count against the limit, and the others keep at least one', () => {
  const domain = {...cores(1), ioThreadsPolicy: 'auto'} as const;
  expect(ioThreadsOf(domain, [own, plain, plain])).toEqual([[2], [1], [1]]);
  expect(ioThreadsOf(domain, [own, own, own, plain])).toEqual([[2], [3], [4], [1]]);
});

test('supplementalPool: all threads serve every virtio disk', () => {
  const domain = {
    ...cores(1),
    ioThreadsPolicy: 'supplementalPool',
    ioThreads: {supplementalPoolThreadCount: 3},
  } as const;
  expect(ioThreadsOf(domain, [plain, scsi, own])).toEqual([[1, 2, 3], [], [1, 2, 3]]);
});

test('a guest without disks has no threads for them', () => {
  expect(ioThreadsOf({...cores(1), ioThreadsPolicy: 'auto'}, [])).toEqual([]);
});
