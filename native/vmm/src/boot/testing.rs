//! Kernels made for tests.

use std::fs::File;
use std::io::Write;

use rustix::fs::{MemfdFlags, memfd_create};

/// An open file with these bytes.
pub fn file(bytes: &[u8]) -> File {
    let mut file = File::from(memfd_create("test", MemfdFlags::CLOEXEC).unwrap());
    file.write_all(bytes).unwrap();
    file
}

pub struct Segment {
    pub kind: u32,
    pub address: u64,
    pub bytes: Vec<u8>,
    pub in_memory: u64,
}

pub fn load(address: u64, bytes: &[u8]) -> Segment {
    Segment {
        kind: 1,
        address,
        bytes: bytes.to_vec(),
        in_memory: bytes.len() as u64,
    }
}

/// An ELF file whose segments follow one another.
pub fn elf(segments: &[Segment]) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18..20].copy_from_slice(&62u16.to_le_bytes());
    bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
    bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
    bytes[56..58].copy_from_slice(&u16::try_from(segments.len()).unwrap().to_le_bytes());
    let mut offset = 64 + 56 * segments.len() as u64;
    for segment in segments {
        let length = segment.bytes.len() as u64;
        bytes.extend(segment.kind.to_le_bytes());
        bytes.extend(5u32.to_le_bytes());
        for word in [offset, 0, segment.address, length, segment.in_memory, 4096] {
            bytes.extend(word.to_le_bytes());
        }
        offset += length;
    }
    segments.iter().for_each(|it| bytes.extend(&it.bytes));
    bytes
}

/// The note that names a PVH entry.
pub fn pvh_note(entry: u32) -> Vec<u8> {
    let mut note = Vec::new();
    for word in [4u32, 4, 18] {
        note.extend(word.to_le_bytes());
    }
    note.extend(b"Xen\0");
    note.extend(entry.to_le_bytes());
    note
}

/// A kernel of two megabytes with its entry, as Linux has it: the notes lie in a loaded segment.
pub fn kernel(entry: u32) -> Vec<u8> {
    let mut bytes = elf(&[
        load(0x10_0000, &[0xaa; 0x1000]),
        load(0x20_0000, &pvh_note(entry)),
        {
            let mut note = load(0x20_0000, &[]);
            note.kind = 4;
            note
        },
    ]);
    // The note's part of the file is that of the segment before it.
    let (segment, note) = (64 + 56, 64 + 112);
    let copied = bytes[segment + 8..segment + 56].to_vec();
    bytes[note + 8..note + 56].copy_from_slice(&copied);
    bytes
}
