//! A request of virtio-blk: a header that the device reads, data either way, and one byte of status at the very end. A driver
//! may cut it into descriptors as it likes.

use std::collections::VecDeque;

use vm_memory::GuestMemoryBackend;

use super::storage::Slice;
use crate::memory::Ram;
use crate::virtio::Chain;

pub const IN: u32 = 0;
pub const OUT: u32 = 1;
pub const FLUSH: u32 = 4;
pub const GET_ID: u32 = 8;
pub const DISCARD: u32 = 11;
pub const WRITE_ZEROES: u32 = 13;

pub const STATUS_OK: u8 = 0;
pub const STATUS_IO_ERROR: u8 = 1;
pub const STATUS_UNSUPPORTED: u8 = 2;

const HEADER: usize = 16;

/// What came, copied or checked once: the guest may write to its memory meanwhile.
pub struct Request<'a> {
    pub kind: u32,
    pub sector: u64,
    /// Of the guest, behind the header.
    pub given: Pieces<'a>,
    /// For the device to fill, before the status.
    pub wanted: Pieces<'a>,
    status: Slice<'a>,
}

impl<'a> Request<'a> {
    /// `None` for what cannot even be answered: no header, no status, data in the wrong order, memory that is not there.
    pub fn parse(ram: &'a Ram, chain: Chain) -> Option<Request<'a>> {
        let mut given = Pieces::default();
        let mut wanted = Pieces::default();
        for descriptor in chain {
            let pieces = if descriptor.is_write_only() {
                &mut wanted
            } else if wanted.0.is_empty() {
                &mut given
            } else {
                return None;
            };
            let length = usize::try_from(descriptor.len()).ok()?;
            for slice in ram.get_slices(descriptor.addr(), length) {
                pieces.0.push_back(slice.ok()?);
            }
        }
        let mut header = [0; HEADER];
        given.take(HEADER)?.read(&mut header);
        let status = wanted.take_last()?;
        let [a, b, c, d, _, _, _, _, sector @ ..] = header;
        Some(Request {
            kind: u32::from_le_bytes([a, b, c, d]),
            sector: u64::from_le_bytes(sector),
            given,
            wanted,
            status,
        })
    }

    pub fn answer(&self, status: u8) {
        self.status.copy_from(&[status]);
    }
}

/// Guest memory in pieces, none of them empty.
#[derive(Default)]
pub struct Pieces<'a>(VecDeque<Slice<'a>>);

impl<'a> Pieces<'a> {
    pub fn len(&self) -> u64 {
        let lengths = self.0.iter().map(|it| it.len() as u64);
        lengths.fold(0, u64::saturating_add)
    }

    pub fn slices(&mut self) -> &[Slice<'a>] {
        self.0.make_contiguous()
    }

    /// The first `count` bytes, which are not in it any more. `None` when there are fewer.
    pub fn take(&mut self, mut count: usize) -> Option<Pieces<'a>> {
        let mut taken = Pieces::default();
        while count > 0 {
            let first = self.0.pop_front()?;
            let length = first.len().min(count);
            taken.0.push_back(first.subslice(0, length).ok()?);
            if length < first.len() {
                self.0.push_front(first.offset(length).ok()?);
            }
            count = count.saturating_sub(length);
        }
        Some(taken)
    }

    fn take_last(&mut self) -> Option<Slice<'a>> {
        let last = self.0.pop_back()?;
        let before = last.len().checked_sub(1)?;
        if before > 0 {
            self.0.push_back(last.subslice(0, before).ok()?);
        }
        last.subslice(before, 1).ok()
    }

    /// Copies what fits.
    pub fn read(&self, mut to: &mut [u8]) {
        for slice in &self.0 {
            let length = slice.copy_to(&mut *to);
            to = to.get_mut(length..).unwrap_or_default();
        }
    }

    /// Copies what fits; how much that was.
    pub fn write(&self, mut from: &[u8]) -> u32 {
        let mut written = 0u32;
        for slice in &self.0 {
            let length = slice.len().min(from.len());
            let (now, later) = from.split_at_checked(length).unwrap_or_default();
            slice.copy_from(now);
            from = later;
            written = written.saturating_add(u32::try_from(length).unwrap_or(0));
        }
        written
    }
}
