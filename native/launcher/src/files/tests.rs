use super::*;
use crate::child::reap;
use crate::testing::{Scratch, skipped};
use std::process::Command;

/// Makes everything, waiting for each child in turn.
fn make(steps: Vec<FileStep>) -> Result<()> {
    let mut preparation = Preparation::new(steps);
    while preparation.go_on()? == Progress::Waiting {
        let pid = preparation.running.as_ref().unwrap().child.pid();
        let exit = loop {
            match reap(Some(pid)) {
                Some((_, exit)) => break exit,
                None => std::thread::sleep(std::time::Duration::from_millis(2)),
            }
        };
        assert!(preparation.ended(pid + 1_000_000, exit).is_none());
        preparation.ended(pid, exit).unwrap()?;
    }
    Ok(())
}

/// What qemu-img says of an image; nothing, and a word about it, where it is not installed.
fn info(path: &str) -> Option<serde_json::Value> {
    match Command::new("qemu-img")
        .args(["info", "--output=json", path])
        .output()
    {
        Ok(output) => Some(serde_json::from_slice(&output.stdout).unwrap()),
        Err(error) => {
            skipped(&format!("qemu-img of the package qemu-utils: {error}"));
            None
        }
    }
}

fn qcow2(path: String, bytes: u64) -> FileStep {
    FileStep::Qcow2 { path, bytes }
}

fn overlay(path: String, backing: String) -> FileStep {
    FileStep::Overlay {
        path,
        backing,
        format: None,
    }
}

#[test]
fn overlays_name_their_image_and_its_format() {
    let scratch = Scratch::new();
    if info("/dev/null").is_none() {
        return;
    }
    std::fs::create_dir(scratch.path("disk")).unwrap();
    std::fs::write(scratch.path("raw.img"), vec![1; 1 << 20]).unwrap();
    let image = scratch.text("disk/debian.qcow2");
    make(vec![
        qcow2(image.clone(), 8 << 20),
        overlay(scratch.text("a.qcow2"), scratch.text("disk")),
        overlay(scratch.text("b.qcow2"), scratch.text("raw.img")),
    ])
    .unwrap();
    let on_qcow2 = info(&scratch.text("a.qcow2")).unwrap();
    assert_eq!(on_qcow2["backing-filename"], image);
    assert_eq!(on_qcow2["backing-filename-format"], "qcow2");
    assert_eq!(on_qcow2["virtual-size"], 8 << 20);
    let on_raw = info(&scratch.text("b.qcow2")).unwrap();
    assert_eq!(
        (&on_raw["backing-filename-format"], &on_raw["virtual-size"]),
        (&"raw".into(), &(1 << 20).into())
    );
}

#[test]
fn an_overlay_over_an_overlay_is_refused() {
    let scratch = Scratch::new();
    if info("/dev/null").is_none() {
        return;
    }
    let [base, chained, ours] = ["base", "chained", "ours"].map(|name| scratch.text(name));
    make(vec![
        qcow2(base.clone(), 1 << 20),
        overlay(chained.clone(), base),
    ])
    .unwrap();
    let fault = make(vec![overlay(ours, chained)]).unwrap_err();
    assert!(fault.to_string().contains("has a backing file"), "{fault}");
}

#[test]
fn an_overlay_over_a_raw_disk_takes_it_as_raw_whatever_is_on_it() {
    let scratch = Scratch::new();
    if info("/dev/null").is_none() {
        return;
    }
    let [disguised, ours] = ["disk.img", "ours"].map(|name| scratch.text(name));
    make(vec![qcow2(disguised.clone(), 8 << 20)]).unwrap();
    make(vec![FileStep::Overlay {
        path: ours.clone(),
        backing: disguised.clone(),
        format: Some(crate::plan::ImageFormat::Raw),
    }])
    .unwrap();
    let info = info(&ours).unwrap();
    assert_eq!(info["backing-filename-format"], "raw");
    let length = std::fs::metadata(disguised).unwrap().len();
    assert_eq!(info["virtual-size"], length.next_multiple_of(512));
}

#[test]
fn empty_disks_are_made_anew_each_time() {
    let scratch = Scratch::new();
    if info("/dev/null").is_none() {
        return;
    }
    let path = scratch.text("empty.qcow2");
    make(vec![qcow2(path.clone(), 4 << 20)]).unwrap();
    make(vec![qcow2(path.clone(), (8 << 20) + 1)]).unwrap();
    assert_eq!(info(&path).unwrap()["virtual-size"], (8 << 20) + 512);
}

#[test]
fn a_failure_names_the_file_and_what_qemu_img_said() {
    let scratch = Scratch::new();
    if info("/dev/null").is_none() {
        return;
    }
    let fault = make(vec![qcow2(scratch.text("no/such/folder"), 1 << 20)])
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains("no/such/folder") && fault.contains("ended with exit code 1"),
        "{fault}"
    );
    assert!(fault.contains("No such file or directory"), "{fault}");
    assert!(make(vec![qcow2(scratch.text("none"), 0)]).is_err());
}

#[test]
fn an_image_whose_header_is_broken_is_named_with_what_to_do() {
    let scratch = Scratch::new();
    if info("/dev/null").is_none() {
        return;
    }
    let mut header = vec![0xa5; 512];
    header[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
    header[8..16].fill(0);
    header[72..80].fill(0);
    std::fs::write(scratch.path("broken.qcow2"), header).unwrap();
    let broken = scratch.text("broken.qcow2");
    let fault = make(vec![overlay(scratch.text("ours"), broken.clone())])
        .unwrap_err()
        .to_string();
    assert!(
        fault.starts_with(&format!(
            "the disk image in {broken} cannot be used: make it anew, `qemu-img check` tells more: qemu-img ended with exit code 1: "
        )),
        "{fault}"
    );
    assert!(fault.contains("cluster size"), "{fault}");
}

/// A qcow2 header of version 3 with this size in bytes, and nothing behind it.
fn header(size: u64, l1_entries: u32) -> Vec<u8> {
    let mut header = vec![0; 65536];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"QFI\xfb\0\0\0\x03");
    put(20, &16u32.to_be_bytes()); // clusters of 64 KiB
    put(24, &size.to_be_bytes());
    put(36, &l1_entries.to_be_bytes());
    put(40, &65536u64.to_be_bytes());
    put(48, &131_072u64.to_be_bytes());
    put(56, &1u32.to_be_bytes());
    put(96, &4u32.to_be_bytes());
    put(100, &104u32.to_be_bytes());
    header
}

#[test]
fn an_image_that_says_to_be_of_any_size_takes_neither_room_nor_memory() {
    let scratch = Scratch::new();
    if info("/dev/null").is_none() {
        return;
    }
    let lies = [
        (u64::MAX, 1),
        (1 << 63, 1),
        ((1 << 63) - 512, u32::MAX),
        (1 << 60, 1 << 21),
    ];
    for (size, l1_entries) in lies {
        std::fs::write(scratch.path("huge.qcow2"), header(size, l1_entries)).unwrap();
        let ours = scratch.text("ours");
        let made = make(vec![overlay(ours.clone(), scratch.text("huge.qcow2"))]);
        if let Err(fault) = &made {
            assert!(
                fault.to_string().contains("huge.qcow2 cannot be used"),
                "{fault}"
            );
        }
        let blocks =
            std::fs::metadata(&ours).map_or(0, |it| std::os::unix::fs::MetadataExt::blocks(&it));
        assert!(blocks * 512 < 64 << 20, "{size}: {blocks} blocks");
    }
}

#[test]
fn an_image_with_its_data_elsewhere_is_refused() {
    let scratch = Scratch::new();
    if info("/dev/null").is_none() {
        return;
    }
    let image = scratch.text("image.qcow2");
    let data = format!("data_file={}", scratch.text("data.raw"));
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-o", &data, &image, "1M"])
        .status();
    assert!(made.unwrap().success());
    let fault = make(vec![overlay(scratch.text("ours"), image)]).unwrap_err();
    assert!(
        fault.to_string().contains("keeps its data in another file"),
        "{fault}"
    );
}

#[test]
fn an_overlay_over_a_raw_disk_follows_no_link_and_waits_for_no_pipe() {
    let scratch = Scratch::new();
    std::os::unix::fs::symlink("/etc/passwd", scratch.path("link")).unwrap();
    let made = Command::new("mkfifo").arg(scratch.path("pipe")).status();
    assert!(made.unwrap().success());
    for backing in [
        scratch.text("link"),
        scratch.text("pipe"),
        "/dev/null".into(),
    ] {
        let step = FileStep::Overlay {
            path: scratch.text("ours"),
            backing: backing.clone(),
            format: Some(crate::plan::ImageFormat::Raw),
        };
        let fault = make(vec![step]).unwrap_err().to_string();
        assert!(fault.contains(&backing), "{fault}");
    }
}
