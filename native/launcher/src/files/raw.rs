//! The disk of a claim, made in it once.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::fstatvfs;

use super::naming::Named;
use crate::error::{Fault, OrFault, Result};

const MIB: u64 = 1024 * 1024;

/// Makes a sparse image of at most `bytes` and at most what the filesystem has free, in whole MiB. A file with anything in it
/// is left as it is.
pub fn make(path: &str, bytes: u64) -> Result<()> {
    let doing = || format!("making the disk {}", Named(Path::new(path)));
    let mut options = OpenOptions::new();
    // Links in a claim are not ours to follow; a pipe must not block.
    options
        .read(true)
        .write(true)
        .create(true)
        .mode(0o660)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path).or_fault(doing)?;
    let metadata = file.metadata().or_fault(doing)?;
    if !metadata.is_file() {
        return Err(Fault::new(format!(
            "making the disk {}: something else than a plain file lies there",
            Named(Path::new(path))
        )));
    }
    if metadata.len() > 0 {
        return Ok(());
    }
    let filesystem = fstatvfs(&file).or_fault(doing)?;
    let free = filesystem.f_bavail.saturating_mul(filesystem.f_frsize);
    let length = size(bytes, free);
    if length == 0 {
        return Err(Fault::new(format!(
            "no disk can be made at {}: {bytes} bytes were asked for, {free} are free, 1 MiB is the least: free some of \
             the claim, or use a larger one",
            Named(Path::new(path))
        )));
    }
    file.set_permissions(Permissions::from_mode(0o660))
        .or_fault(doing)?;
    file.set_len(length).or_fault(doing)
}

fn size(wanted: u64, free: u64) -> u64 {
    let most = wanted.min(free);
    most - most % MIB
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_disk_is_sparse_of_the_asked_size_and_open_to_the_group() {
        let scratch = Scratch::new();
        make(&scratch.text("disk.img"), 3 * MIB + 5).unwrap();
        let metadata = std::fs::metadata(scratch.path("disk.img")).unwrap();
        assert_eq!((metadata.len(), metadata.blocks()), (3 * MIB, 0));
        assert_eq!(metadata.permissions().mode() & 0o777, 0o660);
    }

    #[test]
    fn an_empty_file_is_filled_and_a_full_one_is_left_alone() {
        let scratch = Scratch::new();
        let path = scratch.text("disk.img");
        std::fs::write(&path, b"").unwrap();
        make(&path, MIB).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), MIB);
        std::fs::write(&path, b"data").unwrap();
        make(&path, 5 * MIB).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"data");
    }

    #[test]
    fn a_disk_is_never_larger_than_what_is_free() {
        assert_eq!(size(10 * MIB, 7 * MIB + 1), 7 * MIB);
        assert_eq!(size(10 * MIB, 70 * MIB), 10 * MIB);
        assert_eq!(size(MIB - 1, 70 * MIB), 0);
        let scratch = Scratch::new();
        make(&scratch.text("huge"), 1 << 62).unwrap();
        assert!(std::fs::metadata(scratch.path("huge")).unwrap().len() < 1 << 50);
    }

    #[test]
    fn what_is_no_disk_is_refused() {
        let scratch = Scratch::new();
        std::os::unix::fs::symlink("/etc/hostname", scratch.path("link")).unwrap();
        assert!(make(&scratch.text("link"), MIB).is_err());
        assert!(
            make(&scratch.text("small"), 5)
                .unwrap_err()
                .to_string()
                .contains("1 MiB is the least")
        );
        assert!(make(&scratch.text(""), MIB).is_err());
    }
}
