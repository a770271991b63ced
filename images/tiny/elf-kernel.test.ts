import {expect, test} from '@jest/globals';
import {elfKernel} from './elf-kernel.ts';

const lz4 = (content: string): Buffer => {
  const block = Buffer.concat([Buffer.from([content.length << 4]), Buffer.from(content, 'latin1')]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(block.length);
  return Buffer.concat([Buffer.from([0x02, 0x21, 0x4c, 0x18]), length, block]);
};

test('finds the kernel in the file that unpacks it', () => {
  const image = Buffer.concat([Buffer.from('MZ boot code'), lz4('\x7fELF kernel'), Buffer.from([11, 0, 0, 0])]);
  expect(elfKernel(image).toString('latin1')).toBe('\x7fELF kernel');
});

test('is not misled by the magic in the boot code, nor by something else that is packed', () => {
  const image = Buffer.concat([Buffer.from([0x02, 0x21, 0x4c, 0x18, 9]), lz4('no kernel'), lz4('\x7fELF kernel')]);
  expect(elfKernel(image).toString('latin1')).toBe('\x7fELF kernel');
});

test('says so when there is no kernel', () => {
  expect(() => elfKernel(Buffer.from('not a kernel at all'))).toThrow('no kernel packed with LZ4');
});
