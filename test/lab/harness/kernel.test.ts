import {zstdCompressSync} from 'node:zlib';
import {expect, test} from '@jest/globals';
import {kernelIn} from './kernel.ts';

/** As the boot protocol lays one out: a boot sector and one more of set-up, some code, the packed kernel, its size. */
const bzImage = (packed: Buffer): Buffer => {
  const setup = Buffer.alloc(2 * 512);
  setup.writeUInt8(1, 0x1f1);
  setup.write('HdrS', 0x202, 'latin1');
  setup.writeUInt32LE(7, 0x248);
  setup.writeUInt32LE(packed.length + 4, 0x24c);
  return Buffer.concat([setup, Buffer.from('unpacks'), packed, Buffer.alloc(4), Buffer.from('more code')]);
};

test('finds the kernel where the header says that it is', () => {
  expect(kernelIn(bzImage(zstdCompressSync(Buffer.from('\x7fELF kernel')))).toString('latin1')).toBe('\x7fELF kernel');
});

test.each([
  ['is no kernel', Buffer.from('not a kernel at all'), 'no bzImage'],
  ['is packed in another way', bzImage(Buffer.from('\x02\x21\x4c\x18 lz4', 'latin1')), 'not packed with Zstandard'],
])('says so when the file %s', (_, file, message) => {
  expect(() => kernelIn(file)).toThrow(message);
});
