import {expect, test} from '@jest/globals';
import {haltingKernel} from './halting-kernel.ts';

test('the note names an entry at which the kernel halts', () => {
  const kernel = haltingKernel();
  const header = (index: number, field: number): number => Number(kernel.readBigUInt64LE(64 + 56 * index + field));
  const [offset, address] = [header(0, 8), header(0, 24)];
  expect([header(1, 8), header(1, 24), header(1, 32)]).toEqual([offset, address, 20]);
  expect(kernel.toString('latin1', offset + 12, offset + 15)).toBe('Xen');
  const entry = kernel.readUInt32LE(offset + 16);
  expect([...kernel.subarray(offset + entry - address)]).toEqual([0xf4, 0xeb, 0xfd]);
  expect(kernel).toHaveLength(offset + header(0, 32));
});
