//! An ELF kernel, loaded as its bytes come by.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use vm_memory::{Bytes, GuestAddress, GuestMemoryBackend};
use wherry_devices::memory::Ram;

use crate::error::{Fault, OrFault, Result};
use crate::layout;

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const MAX_PROGRAM_HEADERS: usize = 64;
const LOAD: u32 = 1;
const NOTE: u32 = 4;
/// The longest notes that are read.
const MAX_NOTES: u64 = 64 << 10;
/// The note that says where a kernel is entered by PVH.
const PVH_ENTRY: u32 = 18;
const CHUNK: usize = 64 << 10;

#[derive(Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Physical address of the PVH entry.
    pub entry: u64,
    /// First address behind the kernel.
    pub end: u64,
}

pub fn is_elf(file: &File) -> bool {
    let mut magic = [0; 4];
    file.read_exact_at(&mut magic, 0).is_ok() && &magic == b"\x7fELF"
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    in_file: u64,
    in_memory: u64,
}

/// Loads a 64-bit x86 ELF file that is read from front to back. RAM was zeros before.
pub fn load(input: &mut dyn Read, ram: &Ram) -> Result<Loaded> {
    let mut input = Counted { input, position: 0 };
    let mut segments = segments(&mut input)?;
    // Overlapping or unordered parts of the file would need it twice.
    segments.sort_by_key(|segment| segment.offset);
    let notes: Vec<Segment> = segments.extract_if(.., |it| it.kind == NOTE).collect();
    let mut end = 0;
    for segment in &segments {
        let range = place(segment, ram)?;
        input.skip_to(segment.offset)?;
        copy(&mut input, ram, range.start, segment.in_file)?;
        end = end.max(range.end);
    }
    // Notes lie within loaded segments: they are read from where they are now.
    let entry = notes
        .iter()
        .find_map(|note| pvh_entry(&read_notes(ram, note)?))
        .or_fault("the kernel has no PVH entry (CONFIG_PVH is off)")?;
    Ok(Loaded { entry, end })
}

fn segments(input: &mut Counted<'_>) -> Result<Vec<Segment>> {
    let mut header = [0; HEADER];
    input
        .read_exact(&mut header)
        .or_fault("reading the kernel")?;
    // 64 bits, little-endian, x86-64.
    let known = header.starts_with(b"\x7fELF\x02\x01") && header.get(18..20) == Some(&[62, 0]);
    if !known {
        return Err(Fault::new("the kernel is no x86-64 ELF file"));
    }
    let doing = "the kernel's ELF header is cut off";
    let table = word64(&header, 32).or_fault(doing)?;
    let size = word16(&header, 54).or_fault(doing)?;
    let count = usize::from(word16(&header, 56).or_fault(doing)?);
    if usize::from(size) != PROGRAM_HEADER || count > MAX_PROGRAM_HEADERS {
        return Err(Fault::new("the kernel's program headers have an odd size"));
    }
    input.skip_to(table)?;
    let mut segments = Vec::new();
    for _ in 0..count {
        let mut raw = [0; PROGRAM_HEADER];
        input.read_exact(&mut raw).or_fault("reading the kernel")?;
        let segment = parse(&raw).or_fault(doing)?;
        if matches!(segment.kind, LOAD | NOTE) && segment.in_memory > 0 {
            segments.push(segment);
        }
    }
    Ok(segments)
}

fn parse(raw: &[u8; PROGRAM_HEADER]) -> Option<Segment> {
    Some(Segment {
        kind: u32::from_le_bytes(*raw.first_chunk()?),
        offset: word64(raw, 8)?,
        address: word64(raw, 24)?,
        in_file: word64(raw, 32)?,
        in_memory: word64(raw, 40)?,
    })
}

/// Where a segment goes: within one stretch of RAM, above what the boot itself needs.
fn place(segment: &Segment, ram: &Ram) -> Result<Range<u64>> {
    let fits = || {
        let end = segment.address.checked_add(segment.in_memory)?;
        let length = usize::try_from(segment.in_memory).ok()?;
        let free = segment.address >= layout::HIGH_RAM
            && segment.in_file <= segment.in_memory
            && ram.check_range(GuestAddress(segment.address), length);
        free.then_some(segment.address..end)
    };
    fits().ok_or_else(|| {
        Fault::new(format!(
            "the kernel needs {} bytes at {:#x}, which do not fit into the guest's memory",
            segment.in_memory, segment.address
        ))
    })
}

fn copy(input: &mut Counted<'_>, ram: &Ram, mut address: u64, mut left: u64) -> Result<()> {
    let mut buffer = vec![0; CHUNK];
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let chunk = buffer.get_mut(..length).unwrap_or_default();
        input.read_exact(chunk).or_fault("reading the kernel")?;
        ram.write_slice(chunk, GuestAddress(address))
            .or_fault("loading the kernel")?;
        address = address.saturating_add(length as u64);
        left = left.saturating_sub(length as u64);
    }
    Ok(())
}

fn read_notes(ram: &Ram, segment: &Segment) -> Option<Vec<u8>> {
    let length = segment.in_file.min(MAX_NOTES);
    let mut notes = vec![0; usize::try_from(length).ok()?];
    ram.read_slice(&mut notes, GuestAddress(segment.address))
        .ok()?;
    Some(notes)
}

/// Looks through notes: three words (lengths of name and content, type), name and content padded to words.
fn pvh_entry(mut notes: &[u8]) -> Option<u64> {
    loop {
        let (head, rest) = notes.split_first_chunk::<12>()?;
        let name_length = usize::try_from(word32(head, 0)?).ok()?;
        let length = usize::try_from(word32(head, 4)?).ok()?;
        let kind = word32(head, 8)?;
        let (name, rest) = rest.split_at_checked(name_length.checked_next_multiple_of(4)?)?;
        let (content, rest) = rest.split_at_checked(length.checked_next_multiple_of(4)?)?;
        if kind == PVH_ENTRY && name == b"Xen\0" {
            return match length {
                4 => Some(u64::from(word32(content, 0)?)),
                8 => word64(content, 0),
                _ => None,
            };
        }
        notes = rest;
    }
}

fn word16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

struct Counted<'a> {
    input: &'a mut dyn Read,
    position: u64,
}

impl Counted<'_> {
    fn skip_to(&mut self, offset: u64) -> Result<()> {
        let ahead = offset
            .checked_sub(self.position)
            .or_fault("the kernel's segments overlap in its file")?;
        let skipped = io::copy(&mut self.take(ahead), &mut io::sink());
        if skipped.or_fault("reading the kernel")? < ahead {
            return Err(Fault::new("the kernel is cut off"));
        }
        Ok(())
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.position = self.position.saturating_add(length as u64);
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
