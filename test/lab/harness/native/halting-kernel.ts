/** The smallest kernel that the native engine takes: it halts. */

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const ADDRESS = 0x10_0000;
const NOTE_BYTES = 20;
const X86_64 = 62;
const [LOAD, NOTE] = [1, 4];
/** XEN_ELFNOTE_PHYS32_ENTRY, by which PVH finds the entry. */
const ENTRY_NOTE = 18;
/** `hlt`, and again. Interrupts are off, so that it does so once. */
const code = Buffer.from([0xf4, 0xeb, 0xfd]);

export function haltingKernel(): Buffer {
  const header = Buffer.alloc(ELF_HEADER_BYTES);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(X86_64, 18);
  header.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(2, 56);
  const note = Buffer.alloc(NOTE_BYTES);
  for (const [index, word] of [4, 4, ENTRY_NOTE].entries()) note.writeUInt32LE(word, index * 4);
  note.write('Xen\0', 12, 'latin1');
  note.writeUInt32LE(ADDRESS + NOTE_BYTES, 16);
  const body = Buffer.concat([note, code]);
  return Buffer.concat([header, program(LOAD, body.length), program(NOTE, NOTE_BYTES), body]);
}

function program(kind: number, bytes: number): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER_BYTES);
  header.writeUInt32LE(kind, 0);
  const offset = ELF_HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES;
  for (const [index, word] of [offset, ADDRESS, ADDRESS, bytes, bytes].entries())
    header.writeBigUInt64LE(BigInt(word), 8 + index * 8);
  return header;
}
