//! A kernel's bytes, unpacked as they are read: none of the decompressors ever holds the whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::error::{Fault, OrFault, Result};

/// Most bytes that a kernel may unpack to.
const MAX_UNPACKED: u64 = 512 << 20;
/// Most memory that a decompressor may take for what it looks back at. Linux packs with less than half of it.
const MAX_WINDOW: u64 = 256 << 20;
/// The most that Linux's LZ4 has in one block.
const LZ4_BLOCK: usize = 8 << 20;
const BUFFER: usize = 128 << 10;

/// The bytes of an unpacked kernel.
pub fn plain(file: &File) -> impl Read {
    BufReader::with_capacity(
        BUFFER,
        Section {
            file,
            range: 0..u64::MAX,
        },
    )
    .take(MAX_UNPACKED)
}

/// The bytes of what is packed in this stretch of the file.
pub fn unpack(file: &File, packed: Range<u64>) -> Result<Box<dyn Read + '_>> {
    let mut input = BufReader::with_capacity(
        BUFFER,
        Section {
            file,
            range: packed,
        },
    );
    let magic = input.fill_buf().or_fault("reading the kernel")?;
    let magic = magic.first_chunk::<4>().copied();
    let unpacked: Box<dyn Read> = match magic {
        Some([0x28, 0xb5, 0x2f, 0xfd]) => Box::new(
            ruzstd::decoding::StreamingDecoder::new_with_max_window_size(input, MAX_WINDOW)
                .or_fault("unpacking the kernel (zstd)")?,
        ),
        Some([0x02, 0x21, 0x4c, 0x18]) => Box::new(Lz4::new(input)),
        Some([0x1f, 0x8b, ..]) => Box::new(flate2::bufread::GzDecoder::new(input)),
        Some([0xfd, 0x37, 0x7a, 0x58]) => Box::new(lzma_rust2::XzReader::new_mem_limit(
            input,
            false,
            (MAX_WINDOW >> 10) as u32,
        )),
        _ => {
            return Err(Fault::new(
                "the kernel is packed with none of zstd, lz4, gzip and xz",
            ));
        }
    };
    Ok(Box::new(unpacked.take(MAX_UNPACKED)))
}

/// A stretch of a file, read by offset: the file's own position is nobody's.
struct Section<'a> {
    file: &'a File,
    range: Range<u64>,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.range.end.saturating_sub(self.range.start);
        let wanted = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted) else {
            return Ok(0);
        };
        let length = self.file.read_at(buffer, self.range.start)?;
        self.range.start = self.range.start.saturating_add(length as u64);
        Ok(length)
    }
}

/// LZ4's legacy frames, which Linux uses: a length and that many packed bytes, again and again.
struct Lz4<R> {
    input: R,
    packed: Vec<u8>,
    block: Vec<u8>,
    /// What of the block was not read yet.
    left: Range<usize>,
}

impl<R: Read> Lz4<R> {
    fn new(input: R) -> Lz4<R> {
        Lz4 {
            input,
            packed: Vec::new(),
            block: vec![0; LZ4_BLOCK],
            left: 0..0,
        }
    }

    /// False at the end.
    fn next_block(&mut self) -> io::Result<bool> {
        let Some(length) = self.next_length()? else {
            return Ok(false);
        };
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
        let length = usize::try_from(length).map_err(|_| invalid("a block is too long"))?;
        if length > lz4_flex::block::get_maximum_output_size(LZ4_BLOCK) {
            return Err(invalid("a block is too long"));
        }
        self.packed.resize(length, 0);
        self.input.read_exact(&mut self.packed)?;
        let unpacked = lz4_flex::block::decompress_into(&self.packed, &mut self.block)
            .map_err(|error| invalid(&error.to_string()))?;
        self.left = 0..unpacked;
        Ok(true)
    }

    /// Frames may follow one another, each with its magic number. The kernel's build appends the unpacked size, which stands
    /// where a length would and has no block behind it.
    fn next_length(&mut self) -> io::Result<Option<u32>> {
        const MAGIC: u32 = 0x184c_2102;
        loop {
            let mut word = [0; 4];
            match self.input.read_exact(&mut word) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                read => read?,
            }
            match u32::from_le_bytes(word) {
                MAGIC => {}
                0 => return Ok(None),
                length => return Ok(Some(length)),
            }
        }
    }
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.left.is_empty() && !self.next_block()? {
            return Ok(0);
        }
        let rest = self.block.get(self.left.clone()).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.left.start = self.left.start.saturating_add(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
