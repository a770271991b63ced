import {expect, test} from '@jest/globals';
import {bootSectors, partitionStartSectors, sectorBytes} from './boot-sectors.ts';

const loader = {bootImage: Buffer.alloc(512, 0xaa), coreImage: Buffer.alloc(3 * 512 - 100, 0xcc)};
const diskSectors = 4 * 1024 * 1024;

test('the boot sector starts with the code of GRUB, which loads the sector after it', () => {
  const sectors = bootSectors(loader, diskSectors);
  expect(sectors.length).toBe(1024 * 1024);
  expect(sectors[0]).toBe(0xaa);
  expect(sectors.readBigUInt64LE(0x5c)).toBe(1n);
  expect(sectors.readUInt16BE(0x1fe)).toBe(0x55aa);
});

test('the one partition is bootable, starts at 1 MiB and takes the rest of the disk', () => {
  const entry = bootSectors(loader, diskSectors).subarray(0x1be, 0x1ce);
  expect(entry[0]).toBe(0x80);
  expect(entry[4]).toBe(0x83);
  expect(entry.readUInt32LE(8)).toBe(2048);
  expect(entry.readUInt32LE(12)).toBe(diskSectors - 2048);
});

test('the core tells where the rest of it is', () => {
  const core = bootSectors(loader, diskSectors).subarray(sectorBytes);
  expect(core[0]).toBe(0xcc);
  expect(core.readBigUInt64LE(0x1f4)).toBe(2n);
  expect(core.readUInt16LE(0x1fc)).toBe(2);
  expect(core.readUInt16LE(0x1fe)).toBe(0x820);
});

test('a core that would reach into the partition is refused', () => {
  const coreImage = Buffer.alloc(partitionStartSectors * sectorBytes);
  expect(() => bootSectors({...loader, coreImage}, diskSectors)).toThrow('takes 2048 sectors');
});
