//! The few device nodes that are opened on behalf of guests.

use std::os::fd::OwnedFd;

use rustix::fs::{CWD, FileType, Mode, OFlags};

use crate::error::{Code, Error, Result};

/// All that may be opened. Anything else, disks above all, is opened inside the pod with the pod's own rights.
pub const ALLOWED: [&str; 3] = ["/dev/kvm", "/dev/vhost-net", "/dev/net/tun"];

/// Opens one of `ALLOWED` for reading and writing.
pub fn open(path: &str) -> Result<OwnedFd> {
    if !ALLOWED.contains(&path) {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("{path} is no device that guests may be given"),
        ));
    }
    let fd = rustix::fs::openat(CWD, path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Error::of_errno(format_args!("opening {path}"), errno))?;
    let stat = rustix::fs::fstat(&fd)
        .map_err(|errno| Error::of_errno(format_args!("looking at {path}"), errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::CharacterDevice {
        return Err(Error::new(
            Code::WrongType,
            format!("{path} is no device node"),
        ));
    }
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_outside_the_list_are_refused() {
        for path in ["/dev/null", "/dev/mem", "/dev/kvm/", "/dev/../dev/kvm", ""] {
            assert_eq!(open(path).unwrap_err().code, Code::InvalidArgument);
        }
    }

    #[test]
    fn a_listed_device_opens_or_says_why_not() {
        for path in ALLOWED {
            if let Err(error) = open(path) {
                assert!(
                    matches!(error.code, Code::NotFound | Code::PermissionDenied),
                    "{error:?}"
                );
                assert!(error.message.contains(path));
            }
        }
    }
}
