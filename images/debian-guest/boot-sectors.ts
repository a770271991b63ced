/** The start of a disk that a PC BIOS boots: GRUB's boot sector, a partition table with one entry, and GRUB's core. */

export const sectorBytes = 512;
/** Where the one partition starts. The core stands before it. */
export const partitionStartSectors = 2048;

/** Offsets within GRUB's boot sector (i386-pc). */
const boot = {codeBytes: 440, coreSector: 0x5c, driveCheck: 0x66};
/** Within the core's first sector: which sectors hold the rest of it, and the memory segment that they go to. */
const core = {blockList: 0x1f4, loadSegment: 0x820};
const table = {entry: 0x1be, signature: 0x1fe};
const linuxPartition = 0x83;

export interface BootLoader {
  /** GRUB's boot.img. */
  readonly bootImage: Buffer;
  /** A core made by grub-mkimage. */
  readonly coreImage: Buffer;
}

/**
 * The first MiB of the disk.
 * @param diskSectors of 512 bytes; the partition takes all that is left.
 * @throws RangeError where the core does not fit before the partition.
 */
export function bootSectors({bootImage, coreImage}: BootLoader, diskSectors: number): Buffer {
  const sectors = Buffer.alloc(partitionStartSectors * sectorBytes);
  const coreSectors = Math.ceil(coreImage.length / sectorBytes);
  if (1 + coreSectors > partitionStartSectors) {
    throw new RangeError(`the boot loader's core takes ${coreSectors} sectors: fewer modules have to do`);
  }
  bootImage.copy(sectors, 0, 0, boot.codeBytes);
  sectors.writeBigUInt64LE(1n, boot.coreSector);
  // Two NOPs: without them GRUB trusts no drive number but the first floppy's and what some BIOSes pass is neither.
  sectors.writeUInt16LE(0x9090, boot.driveCheck);
  writePartition(sectors, diskSectors - partitionStartSectors);

  coreImage.copy(sectors, sectorBytes);
  const list = sectorBytes + core.blockList;
  sectors.writeBigUInt64LE(2n, list);
  sectors.writeUInt16LE(coreSectors - 1, list + 8);
  sectors.writeUInt16LE(core.loadSegment, list + 10);
  return sectors;
}

function writePartition(sectors: Buffer, length: number): void {
  const at = table.entry;
  sectors[at] = 0x80; // the one to boot
  // Cylinders and heads mean nothing on such a disk; this stands for "beyond what they can say".
  sectors.writeUIntBE(0xfeffff, at + 1, 3);
  sectors[at + 4] = linuxPartition;
  sectors.writeUIntBE(0xfeffff, at + 5, 3);
  sectors.writeUInt32LE(partitionStartSectors, at + 8);
  sectors.writeUInt32LE(length, at + 12);
  sectors.writeUInt16BE(0x55aa, table.signature);
}
