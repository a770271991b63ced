//! Where a disk's bytes are: an open file or block device, read and written straight from and to the guest's memory.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use rustix::fs::{FallocateFlags, FileType, OFlags, SeekFrom};
use rustix::io::Errno;
use vm_memory::bitmap::{Bitmap, MS};

use crate::memory::Ram;

/// A piece of guest memory.
pub type Slice<'a> = vm_memory::VolatileSlice<'a, MS<'a, Ram>>;

/// The kernel takes no more pieces at once (IOV_MAX).
const MAX_PIECES: usize = 1024;
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

pub struct Storage {
    fd: OwnedFd,
    kind: Kind,
    capacity: u64,
    /// Holes can be made in it, as far as is known.
    punches: AtomicBool,
    /// The error of a flush that failed. The kernel has then forgotten what it could not write, and a flush that succeeds
    /// afterwards says nothing: all later ones fail as well.
    lost: AtomicI32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Device,
}

impl Storage {
    /// @throws `INVAL` for what is neither a file nor a block device, `BADF` for what is not open in the way that is asked for
    pub fn new(fd: OwnedFd, read_only: bool) -> Result<Storage, Errno> {
        let mode = rustix::fs::fstat(&fd)?.st_mode;
        let kind = match FileType::from_raw_mode(mode) {
            FileType::RegularFile => Kind::File,
            FileType::BlockDevice => Kind::Device,
            _ => return Err(Errno::INVAL),
        };
        let access = rustix::fs::fcntl_getfl(&fd)? & OFlags::ACCMODE;
        if access != OFlags::RDWR && !(read_only && access == OFlags::RDONLY) {
            return Err(Errno::BADF);
        }
        let capacity = rustix::fs::seek(&fd, SeekFrom::End(0))?;
        Ok(Storage {
            fd,
            kind,
            capacity,
            punches: AtomicBool::new(true),
            lost: AtomicI32::new(0),
        })
    }

    /// Bytes, when it was opened.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Fills all of `to`. What the file has lost meanwhile is an error, not zeros.
    pub fn read(&self, to: &[Slice<'_>], offset: u64) -> Result<(), Errno> {
        let fd = self.fd.as_raw_fd();
        for_all(to, offset, |pieces, count, at| {
            // SAFETY: the pieces are guest memory that stays mapped while their slices live, and no more than `count`; nobody
            // has Rust references into it.
            unsafe { libc::preadv(fd, pieces, count, at) }
        })?;
        for slice in to {
            slice.bitmap().mark_dirty(0, slice.len());
        }
        Ok(())
    }

    /// Writes all of `from`; `durable` when it is to be on the disk before this returns.
    pub fn write(&self, from: &[Slice<'_>], offset: u64, durable: bool) -> Result<(), Errno> {
        for_all(from, offset, |pieces, count, at| {
            // SAFETY: as above, and the memory is only read.
            unsafe { self.write_pieces(pieces, count, at, durable) }
        })
    }

    pub fn flush(&self) -> Result<(), Errno> {
        let lost = self.lost.load(Ordering::Relaxed);
        if lost != 0 {
            return Err(Errno::from_raw_os_error(lost));
        }
        rustix::fs::fdatasync(&self.fd)
            .inspect_err(|error| self.lost.store(error.raw_os_error(), Ordering::Relaxed))
    }

    /// Frees space, where that can be done.
    pub fn discard(&self, offset: u64, length: u64) -> Result<(), Errno> {
        if length == 0 || !self.punches.load(Ordering::Relaxed) {
            return Ok(());
        }
        let done = match self.kind {
            Kind::File => self.punch(offset, length),
            Kind::Device => self.ask_device(BLKDISCARD, offset, length),
        };
        self.unless_unsupported(done).map(|_| ())
    }

    /// Reads as zeros afterwards. `unmap`: its space may be freed.
    pub fn zero(&self, offset: u64, length: u64, unmap: bool, durable: bool) -> Result<(), Errno> {
        if length == 0 {
            return Ok(());
        }
        let punched = unmap
            && self.punches.load(Ordering::Relaxed)
            && self.unless_unsupported(self.punch(offset, length))?;
        if !punched {
            let in_place = match self.kind {
                Kind::File => self.allocate(FallocateFlags::ZERO_RANGE, offset, length),
                Kind::Device => self.ask_device(BLKZEROOUT, offset, length),
            };
            match in_place {
                Err(error) if is_unsupported(error) => self.write_zeros(offset, length)?,
                done => done?,
            }
        }
        if durable { self.flush() } else { Ok(()) }
    }

    fn punch(&self, offset: u64, length: u64) -> Result<(), Errno> {
        self.allocate(FallocateFlags::PUNCH_HOLE, offset, length)
    }

    fn allocate(&self, how: FallocateFlags, offset: u64, length: u64) -> Result<(), Errno> {
        let how = how | FallocateFlags::KEEP_SIZE;
        again(|| rustix::fs::fallocate(&self.fd, how, offset, length))
    }

    fn ask_device(&self, request: libc::c_ulong, offset: u64, length: u64) -> Result<(), Errno> {
        let range = [offset, length];
        let fd = self.fd.as_fd().as_raw_fd();
        again(|| {
            // SAFETY: both requests read two 64-bit numbers.
            let done = unsafe { libc::ioctl(fd, request, range.as_ptr()) };
            if done == 0 { Ok(()) } else { Err(last_error()) }
        })
    }

    /// Whether it was done. What cannot be done is not tried again.
    fn unless_unsupported(&self, done: Result<(), Errno>) -> Result<bool, Errno> {
        match done {
            Err(error) if is_unsupported(error) => {
                self.punches.store(false, Ordering::Relaxed);
                Ok(false)
            }
            done => done.map(|()| true),
        }
    }

    fn write_zeros(&self, offset: u64, length: u64) -> Result<(), Errno> {
        let mut done = 0;
        while done < length {
            let step = length.saturating_sub(done).min(ZEROS.len() as u64);
            let piece = libc::iovec {
                iov_base: ZEROS.as_ptr().cast_mut().cast(),
                iov_len: usize::try_from(step).unwrap_or(0),
            };
            let at = i64::try_from(offset.saturating_add(done)).map_err(|_| Errno::INVAL)?;
            // SAFETY: the piece lies within the zeros, which are only read.
            let written = unsafe { self.write_pieces(&piece, 1, at, false) };
            done = done.saturating_add(progress(written)?);
        }
        Ok(())
    }

    /// SAFETY: `pieces` has `count` elements, each of them memory that can be read.
    unsafe fn write_pieces(
        &self,
        pieces: *const libc::iovec,
        count: libc::c_int,
        at: i64,
        durable: bool,
    ) -> isize {
        let flags = if durable { libc::RWF_DSYNC } else { 0 };
        // SAFETY: the caller's.
        unsafe { libc::pwritev2(self.fd.as_raw_fd(), pieces, count, at, flags) }
    }
}

/// `<linux/fs.h>`; the two take `[offset, length]`.
pub const BLKDISCARD: libc::c_ulong = 0x1277;
pub const BLKZEROOUT: libc::c_ulong = 0x127f;

fn is_unsupported(error: Errno) -> bool {
    matches!(error, Errno::OPNOTSUPP | Errno::NOTTY | Errno::NOSYS)
}

fn again(mut call: impl FnMut() -> Result<(), Errno>) -> Result<(), Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            done => return done,
        }
    }
}

fn last_error() -> Errno {
    let error = std::io::Error::last_os_error();
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

/// How far a call came. None at all would be for ever.
fn progress(result: isize) -> Result<u64, Errno> {
    match u64::try_from(result) {
        Ok(0) => Err(Errno::IO),
        Ok(length) => Ok(length),
        Err(_) => match last_error() {
            Errno::INTR => Ok(0),
            error => Err(error),
        },
    }
}

/// Calls until all slices are through: the kernel may do a part of them only.
fn for_all(
    slices: &[Slice<'_>],
    offset: u64,
    mut call: impl FnMut(*const libc::iovec, libc::c_int, i64) -> isize,
) -> Result<(), Errno> {
    // The guards keep what is mapped on demand; they live as long as the pieces.
    let guards: Vec<_> = slices.iter().map(Slice::ptr_guard_mut).collect();
    let mut pieces: Vec<libc::iovec> = guards
        .iter()
        .map(|guard| libc::iovec {
            iov_base: guard.as_ptr().cast(),
            iov_len: guard.len(),
        })
        .collect();
    let mut rest = pieces.as_mut_slice();
    let mut at = offset;
    while !rest.is_empty() {
        let count = libc::c_int::try_from(rest.len().min(MAX_PIECES)).unwrap_or(0);
        let position = i64::try_from(at).map_err(|_| Errno::INVAL)?;
        let done = progress(call(rest.as_ptr(), count, position))?;
        at = at.saturating_add(done);
        rest = skip(rest, usize::try_from(done).unwrap_or(usize::MAX));
    }
    Ok(())
}

/// The pieces without their first `bytes`.
fn skip(pieces: &mut [libc::iovec], mut bytes: usize) -> &mut [libc::iovec] {
    let mut whole = 0usize;
    for piece in pieces.iter() {
        if bytes < piece.iov_len {
            break;
        }
        bytes = bytes.saturating_sub(piece.iov_len);
        whole = whole.saturating_add(1);
    }
    let rest = pieces.get_mut(whole..).unwrap_or_default();
    if let Some(first) = rest.first_mut() {
        first.iov_base = first.iov_base.wrapping_byte_add(bytes);
        first.iov_len = first.iov_len.saturating_sub(bytes);
    }
    rest
}
