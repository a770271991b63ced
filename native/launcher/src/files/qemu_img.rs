//! Images that qemu-img makes. It reads a header of the guest owner's, so its time and memory are bounded.

use std::process::Command;

use super::image_format::{Format, check_inside, check_plain, inspect, locate};
use super::naming::volume_of;
use crate::child::{Child, Limits};
use crate::error::{Fault, Result};
use crate::plan::ImageFormat;

const PROGRAM: &str = "qemu-img";
/// Far above what a header needs, far below what a made-up one can ask for.
const LIMITS: Limits = Limits {
    memory_bytes: 1 << 30,
    cpu_seconds: 30,
};

/// An overlay whose reads fall through to the image, which is named in full so that QEMU never guesses.
pub fn overlay(path: &str, backing: &str, known: Option<ImageFormat>) -> Result<Child> {
    let backing = locate(backing)?;
    let format = match known {
        // What is on a raw disk is a guest's, and may look like anything.
        Some(ImageFormat::Raw) => check_plain(&backing).map(|_| Format::Raw)?,
        None => inspect(&backing)?,
    };
    if let Some(volume) = volume_of(&backing) {
        check_inside(&backing, &volume)?;
    }
    let mut command = create(path);
    command
        .args(["-F", format.name(), "-b"])
        .arg(&backing)
        .arg(path);
    Child::spawn(&mut command, &[], Some(LIMITS))
}

/// An empty image of so many bytes, rounded up to a sector.
pub fn empty(path: &str, bytes: u64) -> Result<Child> {
    let length = bytes
        .checked_next_multiple_of(512)
        .filter(|length| *length > 0);
    let Some(length) = length else {
        return Err(Fault::new(format!(
            "making {path}: a disk of {bytes} bytes cannot be"
        )));
    };
    let mut command = create(path);
    command.arg(path).arg(length.to_string());
    Child::spawn(&mut command, &[], Some(LIMITS))
}

fn create(path: &str) -> Command {
    // A file of a former run would be opened, and checked for locks, before it is overwritten.
    let _ = std::fs::remove_file(path);
    let mut command = Command::new(PROGRAM);
    command.args(["create", "-q", "-f", "qcow2"]);
    command
}
