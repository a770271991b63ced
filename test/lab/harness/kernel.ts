/** Debian 13's kernel file unpacks itself when it starts, which takes seconds under emulation: it is unpacked here. */
import {zstdDecompressSync} from 'node:zlib';

const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** A field of the boot protocol's header, `Documentation/arch/x86/boot.rst` of Linux. */
const field = {signature: 0x202, setupSectors: 0x1f1, payloadOffset: 0x248, payloadLength: 0x24c};

/**
 * The kernel proper, an ELF file, out of a bzImage that was packed with Zstandard.
 * @throws Error when no such kernel is in it.
 */
export function kernelIn(bzImage: Buffer): Buffer {
  if (bzImage.length < 0x250 || bzImage.toString('latin1', field.signature, field.signature + 4) !== 'HdrS')
    throw new Error('this file is no bzImage');
  const start = (bzImage.readUInt8(field.setupSectors) + 1) * 512 + bzImage.readUInt32LE(field.payloadOffset);
  // The last four bytes are the size of what is packed, which the unpacker does not want.
  const packed = bzImage.subarray(start, start + bzImage.readUInt32LE(field.payloadLength) - 4);
  if (!packed.subarray(0, zstdMagic.length).equals(zstdMagic))
    throw new Error('the kernel in this bzImage is not packed with Zstandard');
  return zstdDecompressSync(packed);
}
