/** Reads LZ4's legacy frame, in which Linux packs its kernel: a magic, then blocks, each after its length. */

const magic = 0x184c2102;
/** What a block unpacks to at most, and all but the last exactly. */
const blockBytes = 8 * 1024 * 1024;

/** The input is no LZ4 frame, or a damaged one. */
export class Lz4Error extends Error {
  readonly code = 'WHERRY_LZ4';

  constructor(message: string) {
    super(message);
    this.name = 'Lz4Error';
  }
}

/**
 * Unpacks the frame that `packed` starts with. What follows its last block is not looked at: the kernel build appends
 * the unpacked size, which no frame says of itself.
 * @throws Lz4Error
 */
export function unpackLz4(packed: Buffer): Buffer {
  if (packed.length < 8 || packed.readUInt32LE(0) !== magic) throw new Lz4Error('no LZ4 legacy frame starts here');
  const blocks: Buffer[] = [];
  let at = 4;
  for (let last = false; !last && at + 4 <= packed.length; ) {
    const length = packed.readUInt32LE(at);
    const end = at + 4 + length;
    if (end > packed.length) break;
    const block = unpackBlock(packed.subarray(at + 4, end));
    blocks.push(block);
    last = block.length < blockBytes;
    at = end;
  }
  return Buffer.concat(blocks);
}

/** A block is sequences: a token with two lengths, literal bytes, and a copy of bytes that were written before. */
function unpackBlock(block: Buffer): Buffer {
  const out = Buffer.allocUnsafe(blockBytes);
  let read = 0;
  let written = 0;
  const byte = (): number => {
    const value = block[read++];
    if (value === undefined) throw new Lz4Error('a block ends within a sequence');
    return value;
  };
  const length = (nibble: number): number => {
    let sum = nibble;
    if (nibble === 15) for (let more = 255; more === 255; sum += more) more = byte();
    return sum;
  };
  while (read < block.length) {
    const token = byte();
    const literals = length(token >> 4);
    if (read + literals > block.length || written + literals > blockBytes) {
      throw new Lz4Error('literal bytes run past the end of a block');
    }
    written += block.copy(out, written, read, read + literals);
    read += literals;
    // The last sequence of a block has no copy.
    if (read === block.length) break;
    const distance = byte() | (byte() << 8);
    const end = written + length(token & 15) + 4;
    if (distance === 0 || distance > written || end > blockBytes) throw new Lz4Error('a copy reaches out of its block');
    // The source may overlap what is being written: that is how a run is packed.
    if (distance >= end - written) written += out.copy(out, written, written - distance, end - distance);
    else for (; written < end; written++) out[written] = out[written - distance] ?? 0;
  }
  return Buffer.from(out.subarray(0, written));
}
