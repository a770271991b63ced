//! What a disk image in an image volume is. Its header is the guest owner's: it may ask for other files, which it never gets.
#![deny(clippy::arithmetic_side_effects)]

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::naming::Named;
use crate::error::{Fault, OrFault, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Raw,
    Qcow2,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }
}

/// What to do about an image that is not where it should be.
const PLACE: &str =
    "a containerDisk needs exactly one file in /disk, or containerDisk.path that names it";

/// The image's file: the path itself, or the only file in that folder.
pub fn locate(path: &str) -> Result<PathBuf> {
    let path = Path::new(path);
    let metadata = path.metadata().map_err(|cause| {
        Fault::new(format!(
            "no disk image is at {}: {cause}: {PLACE}",
            Named(path)
        ))
    })?;
    if !metadata.is_dir() {
        return Ok(path.to_path_buf());
    }
    let doing = || format!("listing {}", path.display());
    let mut files = Vec::new();
    for entry in path.read_dir().or_fault(doing)? {
        let entry = entry.or_fault(doing)?;
        if !entry.file_type().or_fault(doing)?.is_dir() {
            files.push(entry.path());
        }
    }
    match <[PathBuf; 1]>::try_from(files) {
        Ok([file]) => Ok(file),
        Err(files) => Err(Fault::new(format!(
            "{} holds {} files: {PLACE}",
            Named(path),
            files.len()
        ))),
    }
}

/// A plain file and no link, whatever is in it.
pub fn check_plain(path: &Path) -> Result<File> {
    let doing = || format!("reading the disk image {}", Named(path));
    let file = open(path).or_fault(doing)?;
    if file.metadata().or_fault(doing)?.is_file() {
        return Ok(file);
    }
    Err(Fault::new(format!(
        "the disk image {} is no plain file",
        Named(path)
    )))
}

/// Folders on the way may be links, for images are made so; but none may lead out of the volume, to what else the pod has.
pub fn check_inside(path: &Path, volume: &Path) -> Result<()> {
    let doing = || format!("looking for the disk image {}", Named(path));
    let (file, volume) = (path.canonicalize(), volume.canonicalize());
    if file.or_fault(doing)?.starts_with(volume.or_fault(doing)?) {
        return Ok(());
    }
    Err(Fault::new(format!(
        "the disk image {} is a link that leads out of its volume",
        Named(path)
    )))
}

/// Reads the format by its magic, and refuses images that would lead QEMU to further files.
pub fn inspect(path: &Path) -> Result<Format> {
    let doing = || format!("reading the disk image {}", Named(path));
    let mut file = check_plain(path)?;
    let mut header = [0; 104];
    let mut filled = 0;
    while let Some(rest) = header.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(length) => filled = filled.saturating_add(length),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).or_fault(doing),
        }
    }
    let why = |why| Fault::new(format!("the disk image {} {why}", Named(path)));
    if filled == 0 {
        return Err(why("is empty: make it anew"));
    }
    classify(&header).map_err(why)
}

/// No links: an image volume's content is not ours. Not blocking: it may name a pipe.
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

/// VMDK, VHDX, QED and VDI, which would boot as a raw disk full of nothing. Magics by QEMU's block drivers.
const FOREIGN: [(usize, &[u8]); 4] = [
    (0, b"KDMV"),
    (0, b"vhdxfile"),
    (0, b"QED\0"),
    (64, b"\x7f\x10\xda\xbe"),
];

/// Offsets by QEMU's docs/interop/qcow2.rst. Bytes behind the end of a short file are zero.
pub fn classify(header: &[u8; 104]) -> std::result::Result<Format, &'static str> {
    const EXTERNAL_DATA: u64 = 1 << 2;
    if FOREIGN.iter().any(|(at, magic)| {
        header
            .get(*at..)
            .is_some_and(|rest| rest.starts_with(magic))
    }) {
        return Err("is neither qcow2 nor raw: convert it with `qemu-img convert -O qcow2`");
    }
    if !header.starts_with(b"QFI\xfb") {
        return Ok(Format::Raw);
    }
    if number(header, 8) != 0 {
        return Err("has a backing file: flatten it with `qemu-img convert`");
    }
    let version = number(header, 4) >> 32;
    match version {
        2 => Ok(Format::Qcow2),
        3 if number(header, 72) & EXTERNAL_DATA != 0 => {
            Err("keeps its data in another file: convert it with `qemu-img convert`")
        }
        3 => Ok(Format::Qcow2),
        _ => Err("is broken, or a qcow2 image of an unknown version: make it anew"),
    }
}

fn number(header: &[u8], at: usize) -> u64 {
    let bytes = header.get(at..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    fn header(version: u32, backing: u64, features: u64) -> [u8; 104] {
        let mut header = [0; 104];
        header[..4].copy_from_slice(b"QFI\xfb");
        header[4..8].copy_from_slice(&version.to_be_bytes());
        header[8..16].copy_from_slice(&backing.to_be_bytes());
        header[72..80].copy_from_slice(&features.to_be_bytes());
        header
    }

    #[test]
    fn the_magic_decides() {
        assert_eq!(classify(&[0; 104]), Ok(Format::Raw));
        assert_eq!(classify(&header(3, 0, 0)), Ok(Format::Qcow2));
        assert_eq!(classify(&header(2, 0, u64::MAX)), Ok(Format::Qcow2));
    }

    #[test]
    fn images_that_lead_to_other_files_are_refused() {
        assert!(
            classify(&header(3, 0x200, 0))
                .unwrap_err()
                .contains("backing file")
        );
        assert!(
            classify(&header(2, 1, 0))
                .unwrap_err()
                .contains("backing file")
        );
        assert!(
            classify(&header(3, 0, 4))
                .unwrap_err()
                .contains("another file")
        );
        assert!(
            classify(&header(4, 0, 0))
                .unwrap_err()
                .contains("unknown version")
        );
    }

    #[test]
    fn other_formats_are_no_raw_disks() {
        let mut vdi = [0; 104];
        vdi[64..68].copy_from_slice(b"\x7f\x10\xda\xbe");
        let mut vmdk = [0; 104];
        vmdk[..4].copy_from_slice(b"KDMV");
        for header in [vdi, vmdk] {
            assert!(classify(&header).unwrap_err().contains("qemu-img convert"));
        }
    }

    #[test]
    fn an_empty_file_is_no_disk() {
        let scratch = Scratch::new();
        std::fs::write(scratch.path("disk"), b"").unwrap();
        let fault = inspect(&scratch.path("disk")).unwrap_err().to_string();
        assert!(fault.ends_with("is empty: make it anew"), "{fault}");
    }

    #[test]
    fn a_short_file_is_raw() {
        let scratch = Scratch::new();
        std::fs::write(scratch.path("a"), b"QF").unwrap();
        assert_eq!(inspect(&scratch.path("a")), Ok(Format::Raw));
    }

    #[test]
    fn links_and_pipes_are_refused() {
        let scratch = Scratch::new();
        std::os::unix::fs::symlink("/etc/passwd", scratch.path("link")).unwrap();
        assert!(inspect(&scratch.path("link")).is_err());
        assert!(
            std::process::Command::new("mkfifo")
                .arg(scratch.path("pipe"))
                .status()
                .unwrap()
                .success()
        );
        assert!(
            inspect(&scratch.path("pipe"))
                .unwrap_err()
                .to_string()
                .contains("no plain file")
        );
    }

    #[test]
    fn a_folder_that_is_a_link_may_not_lead_out_of_its_volume() {
        let scratch = Scratch::new();
        for name in ["volume/images", "other"] {
            std::fs::create_dir_all(scratch.path(name)).unwrap();
            std::fs::write(scratch.path(&format!("{name}/a.img")), b"x").unwrap();
        }
        let volume = scratch.path("volume");
        std::os::unix::fs::symlink("images", scratch.path("volume/disk")).unwrap();
        std::os::unix::fs::symlink("../other", scratch.path("volume/out")).unwrap();
        std::os::unix::fs::symlink("/etc", scratch.path("volume/etc")).unwrap();
        assert!(check_inside(&volume.join("disk/a.img"), &volume).is_ok());
        for out in ["out/a.img", "etc/passwd"] {
            let fault = check_inside(&volume.join(out), &volume)
                .unwrap_err()
                .to_string();
            assert!(fault.ends_with("leads out of its volume"), "{fault}");
        }
        assert!(check_inside(&volume.join("nothing"), &volume).is_err());
    }

    #[test]
    fn a_folder_must_hold_exactly_one_file() {
        let scratch = Scratch::new();
        let folder = scratch.text("");
        assert!(
            locate(&folder)
                .unwrap_err()
                .to_string()
                .contains("holds 0 files")
        );
        std::fs::create_dir(scratch.path("lost+found")).unwrap();
        std::fs::write(scratch.path("disk.qcow2"), b"").unwrap();
        assert_eq!(locate(&folder).unwrap(), scratch.path("disk.qcow2"));
        assert_eq!(
            locate(&scratch.text("disk.qcow2")).unwrap(),
            scratch.path("disk.qcow2")
        );
        std::fs::write(scratch.path("README"), b"").unwrap();
        assert!(
            locate(&folder)
                .unwrap_err()
                .to_string()
                .contains("holds 2 files")
        );
        assert!(
            locate("/nowhere/disk")
                .unwrap_err()
                .to_string()
                .contains("/nowhere/disk")
        );
    }
}
