/**
 * Debian's kernel file unpacks itself when it starts, which takes a second or two under emulation. Unpacked here it is
 * an ELF file, which QEMU starts by its PVH note.
 */

import {Lz4Error, unpackLz4} from './lz4.ts';

const lz4Magic = Buffer.from([0x02, 0x21, 0x4c, 0x18]);
const elfMagic = Buffer.from('\x7fELF', 'latin1');

/**
 * The kernel proper, out of a bzImage that was packed with LZ4 (Debian 12's).
 * @throws Error when no such kernel is in it.
 */
export function elfKernel(bzImage: Buffer): Buffer {
  // The magic may also occur by chance in the code around the packed kernel.
  for (let at = bzImage.indexOf(lz4Magic); at >= 0; at = bzImage.indexOf(lz4Magic, at + 1)) {
    const kernel = unpackedAt(bzImage.subarray(at));
    if (kernel?.subarray(0, elfMagic.length).equals(elfMagic)) return kernel;
  }
  throw new Error('no kernel packed with LZ4 is in this file: is it a bzImage of Debian 12?');
}

function unpackedAt(packed: Buffer): Buffer | undefined {
  try {
    return unpackLz4(packed);
  } catch (error) {
    if (error instanceof Lz4Error) return undefined;
    throw error;
  }
}
