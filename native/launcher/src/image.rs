//! Files that are opened for an engine that opens none itself.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

/// What guests read and write at the least.
const SECTOR: usize = 512;

/// How a file is opened: `ro` or `rw`, and behind it, with commas, what else is to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// Nobody else may have it open for writing, nor at all where it is written.
    writable: bool,
    /// Without the kernel's cache, where the storage takes requests as small as a guest's.
    uncached: bool,
    /// Links are followed, and nothing is locked: what an image of the user's own holds.
    follow: bool,
}

impl How {
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(',');
        let writable = match words.next()? {
            "ro" => false,
            "rw" => true,
            _ => return None,
        };
        let mut how = Self {
            writable,
            ..Self::default()
        };
        for word in words {
            match word {
                "auto" => how.uncached = true,
                "follow" if !writable => how.follow = true,
                _ => return None,
            }
        }
        Some(how)
    }
}

/// Opens a plain file, which is nobody else's to write from then on: the engine inherits the lock with the descriptor, and the
/// lock ends with it.
pub fn open(path: &str, how: How) -> Result<OwnedFd, String> {
    let failed = |error: std::io::Error| format!("opening {path}: {error}");
    let file = match without_cache(path, how).map_err(failed)? {
        Some(file) => file,
        None => attempt(path, how, 0).map_err(failed)?,
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(format!("{path} is no plain file"));
    }
    if !how.follow {
        lock(&file, how.writable).map_err(|error| {
            format!("{path} cannot be locked, another machine may use it: {error}")
        })?;
    }
    Ok(file.into())
}

/// `None` where the cache is wanted, or cannot be done without.
fn without_cache(path: &str, how: How) -> std::io::Result<Option<File>> {
    if !how.uncached {
        return Ok(None);
    }
    match attempt(path, how, libc::O_DIRECT) {
        Ok(file) => Ok(takes_sectors(&file).then_some(file)),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a sector can be read to where a sector may lie in memory: the engine hands requests of its guest on as they come, and
/// some storage takes whole blocks of 4 KiB alone.
fn takes_sectors(file: &File) -> bool {
    #[repr(align(4096))]
    struct Page([u8; 4096]);
    let mut page = Page([0; 4096]);
    let Some(sector) = page.0.get_mut(SECTOR..2 * SECTOR) else {
        return false;
    };
    file.read_at(sector, SECTOR as u64).is_ok()
}

fn attempt(path: &str, how: How, flags: i32) -> std::io::Result<File> {
    let link = if how.follow { 0 } else { libc::O_NOFOLLOW };
    OpenOptions::new()
        .read(true)
        .write(how.writable)
        // A pipe in the place of the file must not hold the launcher up.
        .custom_flags(flags | link | libc::O_NONBLOCK)
        .open(path)
}

/// QEMU's bytes: from 100 on what somebody does with an image, from 200 on what others may not.
const USES: i64 = 100;
const FORBIDS: i64 = 200;
const READ: i64 = 0;
const WRITE: i64 = 1;
const RESIZE: i64 = 3;
const ALL: i64 = 200;

/// Locks of the open file itself, not of this process, in such bytes that QEMU keeps away too, and that this keeps away from
/// what QEMU has open.
fn lock(file: &File, writable: bool) -> std::io::Result<()> {
    if writable {
        return lock_bytes(file, libc::F_WRLCK, USES, ALL);
    }
    for byte in [USES + READ, FORBIDS + WRITE, FORBIDS + RESIZE] {
        lock_bytes(file, libc::F_RDLCK, byte, 1)?;
    }
    Ok(())
}

fn lock_bytes(file: &File, kind: i32, start: i64, length: i64) -> std::io::Result<()> {
    let lock = libc::flock {
        l_type: kind as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: start,
        l_len: length,
        l_pid: 0,
    };
    // SAFETY: the descriptor is open, and the call reads the structure while it lasts and no longer.
    let locked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
    if locked == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    use rustix::fs::OFlags;

    use super::*;
    use crate::testing::Scratch;

    fn how(text: &str) -> How {
        How::parse(text).unwrap()
    }

    fn fault(path: &str, text: &str) -> String {
        open(path, how(text)).unwrap_err()
    }

    fn scratch() -> (Scratch, String) {
        let scratch = Scratch::new();
        std::fs::write(scratch.path("disk"), b"data").unwrap();
        let disk = scratch.text("disk");
        (scratch, disk)
    }

    #[test]
    fn how_is_read_as_it_is_written() {
        assert_eq!(how("ro"), How::default());
        assert!(how("rw,auto").uncached);
        assert!(how("ro,follow").follow && how("rw").writable);
        for nonsense in ["", "x", "ro,", "rw,follow", "ro,x", "auto"] {
            assert_eq!(How::parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn what_is_written_is_nobody_elses() {
        let (_scratch, disk) = scratch();
        let first = open(&disk, how("rw")).unwrap();
        for other in ["rw", "ro"] {
            let fault = fault(&disk, other);
            assert!(fault.contains("another machine may use it"), "{fault}");
        }
        let copy = first.try_clone().unwrap();
        drop(first);
        assert!(
            open(&disk, how("rw")).is_err(),
            "whoever inherits it has the lock"
        );
        drop(copy);
        assert!(open(&disk, how("rw")).is_ok());
    }

    #[test]
    fn many_may_read() {
        let (_scratch, disk) = scratch();
        let _readers = [0, 1].map(|_| open(&disk, how("ro")).unwrap());
        assert!(open(&disk, how("rw")).is_err());
    }

    #[test]
    fn what_qemu_writes_is_not_opened_and_what_it_reads_can_be_read() {
        let (_scratch, disk) = scratch();
        let qemu = File::open(&disk).unwrap();
        // As it reads a read-only image.
        for byte in [USES + READ, FORBIDS + WRITE, FORBIDS + RESIZE] {
            lock_bytes(&qemu, libc::F_RDLCK, byte, 1).unwrap();
        }
        assert!(open(&disk, how("ro")).is_ok());
        assert!(open(&disk, how("rw")).is_err());
    }

    #[test]
    fn what_is_no_plain_file_is_no_disk() {
        let (scratch, disk) = scratch();
        symlink(&disk, scratch.path("link")).unwrap();
        let fifo = scratch.text("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        assert!(fault(&scratch.text("link"), "ro").contains("symbolic links"));
        assert!(fault(&fifo, "ro").ends_with("is no plain file"));
        assert!(fault("/dev/null", "rw").ends_with("is no plain file"));
        assert!(fault(&scratch.text("absent"), "ro").contains("No such file"));
    }

    #[test]
    fn a_kernel_may_lie_behind_a_link_and_be_anybodys() {
        let (scratch, disk) = scratch();
        symlink("disk", scratch.path("vmlinuz")).unwrap();
        let _writer = open(&disk, how("rw")).unwrap();
        assert!(open(&scratch.text("vmlinuz"), how("ro,follow")).is_ok());
    }

    #[test]
    fn a_file_system_without_direct_io_is_used_with_the_cache() {
        // procfs has none.
        let status = open("/proc/self/status", how("ro,auto")).unwrap();
        assert!(!flags(&status).contains(OFlags::DIRECT));
    }

    #[test]
    fn a_disk_is_used_without_the_cache_where_a_sector_can_be_read_so() {
        let (_scratch, disk) = scratch();
        std::fs::write(&disk, [7; 4 * SECTOR]).unwrap();
        let file = File::from(open(&disk, how("rw,auto")).unwrap());
        let direct = flags(&file).contains(OFlags::DIRECT);
        let raw = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECT)
            .open(&disk);
        assert_eq!(direct, raw.is_ok_and(|raw| takes_sectors(&raw)));
        assert!(takes_sectors(&file));
    }

    fn flags(file: &impl AsFd) -> OFlags {
        rustix::fs::fcntl_getfl(file).unwrap()
    }
}
