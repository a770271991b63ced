//! The block devices of a pod, which it has, but whose rights it has not: the daemon opens them for its guest.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags, ioctl_blkpbszget, ioctl_blksszget};

use crate::dir;
use crate::error::{Code, Error, Result};
use crate::process;

/// How a device is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub read_only: bool,
    /// Without the kernel's cache.
    pub direct: bool,
}

/// A device that was opened, in bytes.
#[derive(Debug)]
pub struct BlockDevice {
    pub fd: OwnedFd,
    pub bytes: u64,
    pub logical: u32,
    pub physical: u32,
}

/// Opens the block device at `path`, as the living process `pid` sees it. No symbolic link is followed on the way, and nothing
/// but a block device is opened. `pidfd` proves that `pid` is still the process that is meant.
pub fn open_in(pid: i32, pidfd: impl AsFd, path: &str, options: Options) -> Result<BlockDevice> {
    let root = dir::open_dir(format!("/proc/{pid}/root").as_ref());
    // Looked at after the open: alive now means that the number was not free in between.
    if !process::is_alive(pidfd)? {
        return Err(Error::new(
            Code::ProcessGone,
            format!("process {pid} is gone"),
        ));
    }
    let node = dir::open_path(&root?, path.trim_start_matches('/'))?;
    let stat = rustix::fs::fstat(&node)
        .map_err(|errno| Error::of_errno(format_args!("looking at {path}"), errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::BlockDevice {
        return Err(Error::new(
            Code::WrongType,
            format!("{path} is no block device"),
        ));
    }
    let fd = reopen(&node, options)
        .map_err(|errno| Error::of_errno(format_args!("opening {path}"), errno))?;
    let failed = |errno| Error::of_errno(format_args!("asking {path} for its size"), errno);
    Ok(BlockDevice {
        bytes: rustix::fs::seek(&fd, rustix::fs::SeekFrom::End(0)).map_err(failed)?,
        logical: ioctl_blksszget(&fd).map_err(failed)?,
        physical: ioctl_blkpbszget(&fd).map_err(failed)?,
        fd,
    })
}

/// The very node that was looked at, whatever its path leads to by now.
fn reopen(node: &OwnedFd, options: Options) -> std::result::Result<OwnedFd, rustix::io::Errno> {
    let mut flags = OFlags::CLOEXEC;
    flags |= if options.read_only {
        OFlags::RDONLY
    } else {
        OFlags::RDWR
    };
    if options.direct {
        flags |= OFlags::DIRECT;
    }
    let path = format!("/proc/self/fd/{}", node.as_raw_fd());
    rustix::fs::openat(CWD, path, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{LoopDevice, TempDir};

    const PLAIN: Options = Options {
        read_only: false,
        direct: true,
    };

    fn open(path: &str, options: Options) -> Result<BlockDevice> {
        let pid = std::process::id() as i32;
        open_in(pid, process::pidfd_open(pid, None).unwrap(), path, options)
    }

    fn code(result: Result<BlockDevice>) -> Code {
        result.unwrap_err().code
    }

    #[test]
    fn a_device_is_opened_as_it_is_asked_for_and_says_its_size() {
        let Some(device) = LoopDevice::new(3 * 1024 * 1024) else {
            return;
        };
        let opened = open(device.path(), PLAIN).unwrap();
        assert_eq!((opened.bytes, opened.logical), (3 * 1024 * 1024, 512));
        assert!(opened.physical >= 512);
        let flags = |fd: &OwnedFd| rustix::fs::fcntl_getfl(fd).unwrap();
        assert!(flags(&opened.fd).contains(OFlags::RDWR | OFlags::DIRECT));
        let read = Options {
            read_only: true,
            direct: false,
        };
        let opened = open(device.path(), read).unwrap();
        assert!(!flags(&opened.fd).intersects(OFlags::RDWR | OFlags::DIRECT));
    }

    #[test]
    fn nothing_but_a_block_device_is_opened() {
        let temp = TempDir::new();
        let file = temp.path().join("disk.img");
        std::fs::write(&file, "x").unwrap();
        assert_eq!(code(open(file.to_str().unwrap(), PLAIN)), Code::WrongType);
        assert_eq!(code(open("/dev/null", PLAIN)), Code::WrongType);
        assert_eq!(code(open("/dev/no-such-disk", PLAIN)), Code::NotFound);
    }

    #[test]
    fn no_link_is_followed() {
        let temp = TempDir::new();
        let link = temp.path().join("link");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        assert_eq!(code(open(link.to_str().unwrap(), PLAIN)), Code::Escapes);
        assert_eq!(code(open("/../dev/null", PLAIN)), Code::Escapes);
    }

    #[test]
    fn a_process_that_has_ended_has_no_devices() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id() as i32;
        let pidfd = process::pidfd_open(pid, None).unwrap();
        child.wait().unwrap();
        assert_eq!(
            code(open_in(pid, pidfd, "/dev/null", PLAIN)),
            Code::ProcessGone
        );
    }
}
