//! The files of a folder that the kubelet keeps: a ConfigMap's, a Secret's, the downward API's, a token's.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2, readlinkat, statat,
};
use rustix::io::Errno;

use crate::error::{Fault, OrFault, Result};

/// Far above what Kubernetes lets into one of these.
const MAX_FILES: usize = 4096;
const MAX_BYTES: u64 = 16 * 1024 * 1024;
const MAX_DEPTH: usize = 7;

/// What the kubelet calls the link to the folder with the files as they are now.
const NOW: &str = "..data";

const BENEATH: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS);

/// A file by its path below the folder.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub path: String,
    pub content: Vec<u8>,
}

/// All files, in the order of their paths. The kubelet replaces them all at once, by a link to another folder: that link is
/// looked at once, and no other is followed.
pub fn read(folder: &str) -> Result<Vec<Found>> {
    let doing = || format!("reading {folder}");
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let root = openat(CWD, folder, flags, Mode::empty()).or_fault(doing)?;
    let root = match readlinkat(&root, NOW, Vec::new()) {
        Ok(target) => open(&root, &text(target.as_bytes())?, flags).or_fault(doing)?,
        Err(Errno::NOENT | Errno::INVAL) => root,
        Err(errno) => return Err(errno).or_fault(doing),
    };
    let mut walk = Walk::default();
    walk.folder(&root, "", 0)
        .map_err(|fault| Fault::new(format!("{}: {fault}", doing())))?;
    walk.found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(walk.found)
}

fn open(dir: impl AsFd, name: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    openat2(dir, name, flags, Mode::empty(), BENEATH)
}

fn text(name: &[u8]) -> Result<String> {
    String::from_utf8(name.to_vec())
        .map_err(|_| Fault::new(format!("{:?} is no text", String::from_utf8_lossy(name))))
}

#[derive(Default)]
struct Walk {
    found: Vec<Found>,
    bytes: u64,
}

impl Walk {
    fn folder(&mut self, dir: &OwnedFd, prefix: &str, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Fault::new(format!("{prefix} lies too deep")));
        }
        for entry in Dir::read_from(dir).or_fault(|| format!("listing {prefix:?}"))? {
            let entry = entry.or_fault(|| format!("listing {prefix:?}"))?;
            let name = text(entry.file_name().to_bytes())?;
            // The kubelet's own names begin with two dots.
            if name.starts_with("..") || name == "." {
                continue;
            }
            let path = format!("{prefix}{name}");
            let doing = || format!("opening {path}");
            let stat = statat(dir, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).or_fault(doing)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
                    let below = open(dir, &name, flags).or_fault(doing)?;
                    self.folder(&below, &format!("{path}/"), depth.saturating_add(1))?;
                }
                FileType::RegularFile => {
                    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                    let file = open(dir, &name, flags).or_fault(doing)?;
                    self.file(path, File::from(file))?;
                }
                _ => {
                    return Err(Fault::new(format!("{path} is neither a file nor a folder")));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: String, file: File) -> Result<()> {
        let mut content = Vec::new();
        // One more than there may be, so that too much is noticed.
        let room = MAX_BYTES.saturating_sub(self.bytes);
        file.take(room.saturating_add(1))
            .read_to_end(&mut content)
            .or_fault(|| format!("reading {path}"))?;
        self.bytes = self.bytes.saturating_add(content.len() as u64);
        if self.bytes > MAX_BYTES || self.found.len() >= MAX_FILES {
            return Err(Fault::new(format!(
                "more than {MAX_FILES} files or {MAX_BYTES} bytes are too much for a disk"
            )));
        }
        self.found.push(Found { path, content });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs::{create_dir, create_dir_all, write};
    use std::os::unix::fs::symlink;

    /// A folder as the kubelet makes it: the files in one of a time, a link to that, and a link for each name at the top.
    fn kept(files: &[(&str, &str)]) -> Scratch {
        let scratch = Scratch::new();
        create_dir(scratch.path("..2026")).unwrap();
        symlink("..2026", scratch.path("..data")).unwrap();
        for (path, content) in files {
            let file = scratch.path(&format!("..2026/{path}"));
            create_dir_all(file.parent().unwrap()).unwrap();
            write(file, content).unwrap();
            let top = path.split('/').next().unwrap();
            let _ = symlink(format!("..data/{top}"), scratch.path(top));
        }
        scratch
    }

    fn found(scratch: &Scratch) -> Vec<(String, String)> {
        let text = |content| String::from_utf8(content).unwrap();
        read(&scratch.text(""))
            .unwrap()
            .into_iter()
            .map(|it| (it.path, text(it.content)))
            .collect()
    }

    fn pairs(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files
            .iter()
            .map(|(path, content)| (path.to_string(), content.to_string()))
            .collect()
    }

    #[test]
    fn the_files_of_now_are_read_without_the_kubelets_links() {
        let files = [("a", "1"), ("b.conf", ""), ("labels/all", "x=y\n")];
        assert_eq!(found(&kept(&files)), pairs(&files));
    }

    #[test]
    fn an_empty_folder_has_no_files() {
        assert_eq!(found(&kept(&[])), []);
        assert_eq!(found(&Scratch::new()), []);
    }

    #[test]
    fn a_plain_folder_is_read_as_well() {
        let scratch = Scratch::new();
        create_dir(scratch.path("below")).unwrap();
        write(scratch.path("below/file"), "deep").unwrap();
        assert_eq!(found(&scratch), pairs(&[("below/file", "deep")]));
    }

    #[test]
    fn no_link_leads_out() {
        let inside = kept(&[("a", "1")]);
        symlink("/etc/passwd", inside.path("..2026/evil")).unwrap();
        let fault = read(&inside.text("")).unwrap_err().to_string();
        assert!(
            fault.contains("evil is neither a file nor a folder"),
            "{fault}"
        );
        for target in ["/etc", "../..", ".."] {
            let scratch = Scratch::new();
            symlink(target, scratch.path("..data")).unwrap();
            assert!(read(&scratch.text("")).is_err(), "{target}");
        }
    }

    #[test]
    fn pipes_are_refused_and_do_not_block() {
        let scratch = kept(&[]);
        let made = std::process::Command::new("mkfifo")
            .arg(scratch.path("..2026/pipe"))
            .status();
        assert!(made.unwrap().success());
        assert!(read(&scratch.text("")).is_err());
    }

    #[test]
    fn too_much_is_refused() {
        let large = kept(&[]);
        let file = File::create(large.path("..2026/large")).unwrap();
        file.set_len(MAX_BYTES).unwrap();
        assert_eq!(read(&large.text("")).unwrap().len(), 1);
        write(large.path("..2026/one-more"), "x").unwrap();
        assert!(
            read(&large.text(""))
                .unwrap_err()
                .to_string()
                .contains("too much")
        );
        let deep = kept(&[("1/2/3/4/5/6/7/8/9", "")]);
        assert!(
            read(&deep.text(""))
                .unwrap_err()
                .to_string()
                .contains("too deep")
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let fault = read("/nowhere/at/all").unwrap_err().to_string();
        assert!(fault.contains("/nowhere/at/all"), "{fault}");
    }
}
