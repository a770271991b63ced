import {expect, test} from '@jest/globals';
import {chargeV1, chargeV2} from './cgroup.ts';

test('version 1 counts shared memory among the cache, and sums over the containers', () => {
  const stat = 'cache 0\nrss 0\ntotal_cache 1000\ntotal_rss 300\ntotal_shmem 900\n';
  expect(chargeV1(stat, 1350, 50)).toEqual({total: 1350, anonymous: 300, shared: 900, kernel: 50, files: 100});
});

test('version 2 says the same in other words', () => {
  const stat = 'anon 300\nfile 1000\nkernel 50\nshmem 900\n';
  expect(chargeV2(stat, 1350)).toEqual({total: 1350, anonymous: 300, shared: 900, kernel: 50, files: 100});
});

test('a figure that is missing is no zero', () => {
  expect(() => chargeV2('anon 300\n', 300)).toThrow('nothing of shmem');
});
