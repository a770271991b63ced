//! Folders held open, so that hostile content of a pod's volume cannot lead the daemon astray.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::error::{Code, Error, Result};

const BENEATH: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS);

/// Opens a trusted folder as an O_PATH descriptor; symbolic links in `path` are followed.
pub fn open_dir(path: &Path) -> Result<OwnedFd> {
    rustix::fs::openat(
        CWD,
        path,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|errno| Error::of_errno(format_args!("opening the folder {}", path.display()), errno))
}

/// Opens a folder below `dir` without following any symbolic link and without leaving `dir`.
pub fn open_dir_at(dir: impl AsFd, path: &str) -> Result<OwnedFd> {
    open_beneath(dir, path, OFlags::DIRECTORY)
        .map_err(|errno| Error::of_errno(format_args!("opening the folder {path}"), errno))
}

/// Opens whatever lies at this path below `dir` as an O_PATH descriptor, by the rules of `open_dir_at`.
pub(crate) fn open_path(dir: impl AsFd, path: &str) -> Result<OwnedFd> {
    open_beneath(dir, path, OFlags::empty())
        .map_err(|errno| Error::of_errno(format_args!("opening {path}"), errno))
}

/// Opens whatever is called `name` directly inside `dir` as an O_PATH descriptor. A symbolic link is an error (`Escapes`).
pub(crate) fn open_entry(dir: impl AsFd, name: &str) -> Result<OwnedFd> {
    check_name(name)?;
    open_beneath(dir, name, OFlags::empty())
        .map_err(|errno| Error::of_errno(format_args!("opening {name}"), errno))
}

/// Whether there is anything called `name` directly inside `dir`; a symbolic link counts, wherever it points.
pub fn exists_at(dir: impl AsFd, name: &str) -> Result<bool> {
    check_name(name)?;
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(Error::of_errno(format_args!("looking for {name}"), errno)),
    }
}

fn open_beneath(dir: impl AsFd, path: &str, more: OFlags) -> std::result::Result<OwnedFd, Errno> {
    // The kernel answers EAGAIN when a rename elsewhere raced with the walk; it says nothing about this path.
    for _ in 0..8 {
        match rustix::fs::openat2(
            dir.as_fd(),
            path,
            OFlags::PATH | OFlags::CLOEXEC | more,
            Mode::empty(),
            BENEATH,
        ) {
            Err(Errno::AGAIN) => continue,
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("{name:?} is no plain file name"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;
    use std::os::unix::fs::symlink;

    fn code<T>(result: Result<T>) -> Option<Code> {
        result.err().map(|error| error.code)
    }

    #[test]
    fn opens_folders_below() {
        let temp = TempDir::new();
        std::fs::create_dir_all(temp.path().join("volumes/sockets")).unwrap();
        let dir = open_dir(temp.path()).unwrap();
        let sub = open_dir_at(&dir, "volumes/sockets").unwrap();
        assert!(!exists_at(&sub, "launcher.sock").unwrap());
        std::fs::write(temp.path().join("volumes/sockets/launcher.sock"), "").unwrap();
        assert!(exists_at(&sub, "launcher.sock").unwrap());
    }

    #[test]
    fn never_leaves_the_folder() {
        let temp = TempDir::new();
        std::fs::create_dir(temp.path().join("inside")).unwrap();
        symlink("/etc", temp.path().join("inside/link")).unwrap();
        symlink("../inside", temp.path().join("inside/loop")).unwrap();
        let dir = open_dir(&temp.path().join("inside")).unwrap();
        assert_eq!(code(open_dir_at(&dir, "..")), Some(Code::Escapes));
        assert_eq!(code(open_dir_at(&dir, "/etc")), Some(Code::Escapes));
        assert_eq!(code(open_dir_at(&dir, "link")), Some(Code::Escapes));
        assert_eq!(code(open_dir_at(&dir, "loop")), Some(Code::Escapes));
        assert_eq!(code(open_entry(&dir, "link")), Some(Code::Escapes));
        assert!(exists_at(&dir, "link").unwrap());
    }

    #[test]
    fn tells_missing_folders_from_files_and_bad_names() {
        let temp = TempDir::new();
        std::fs::write(temp.path().join("file"), "").unwrap();
        let dir = open_dir(temp.path()).unwrap();
        assert_eq!(code(open_dir_at(&dir, "absent")), Some(Code::NotFound));
        assert_eq!(code(open_dir_at(&dir, "file")), Some(Code::WrongType));
        assert_eq!(
            code(open_dir(&temp.path().join("absent"))),
            Some(Code::NotFound)
        );
        for name in ["", ".", "..", "a/b", "/"] {
            assert_eq!(code(exists_at(&dir, name)), Some(Code::InvalidArgument));
        }
    }
}
