use super::*;
use crate::testing::{Scratch, skipped};
use std::process::Command;

fn entry(name: &str, content: &[u8]) -> Entry<'static> {
    Entry {
        name: name.into(),
        bytes: content.len() as u64,
        content: Box::new(io::Cursor::new(content.to_vec())),
    }
}

fn image(label: &str, entries: Vec<Entry<'_>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, label, entries).unwrap();
    bytes
}

/// What isoinfo says of an image, or nothing where it is not installed.
fn isoinfo(bytes: &[u8], arguments: &[&str]) -> Option<Vec<u8>> {
    let scratch = Scratch::new();
    let path = scratch.path("seed.iso");
    std::fs::write(&path, bytes).unwrap();
    let output = match Command::new("isoinfo")
        .arg("-i")
        .arg(&path)
        .args(arguments)
        .output()
    {
        Ok(output) => output,
        Err(error) => {
            skipped(&format!("isoinfo of the package genisoimage: {error}"));
            return None;
        }
    };
    assert!(output.status.success(), "{output:?}");
    Some(output.stdout)
}

fn listed(bytes: &[u8], arguments: &[&str]) -> Option<Vec<String>> {
    let text = String::from_utf8(isoinfo(bytes, arguments)?).unwrap();
    Some(
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(String::from)
            .collect(),
    )
}

fn seed() -> Vec<Entry<'static>> {
    vec![
        entry("meta-data", b"instance-id: a\n"),
        entry("user-data", b"#cloud-config\n"),
        entry("network-config", b"version: 2\n"),
    ]
}

#[test]
fn isoinfo_reads_label_joliet_and_every_file() {
    let bytes = image("cidata", seed());
    let Some(description) = isoinfo(&bytes, &["-d"]) else {
        return;
    };
    let description = String::from_utf8(description).unwrap();
    assert!(description.contains("Volume id: cidata\n"), "{description}");
    assert!(
        description.contains("Joliet with UCS level 3 found"),
        "{description}"
    );
    assert!(
        description.contains(&format!("Volume size is: {}", bytes.len() / SECTOR)),
        "{description}"
    );
    assert_eq!(
        listed(&bytes, &["-J", "-f"]).unwrap(),
        ["/meta-data", "/network-config", "/user-data"]
    );
    assert_eq!(
        listed(&bytes, &["-f"]).unwrap(),
        ["/META-DATA.;1", "/NETWORK-CONFIG.;1", "/USER-DATA.;1"]
    );
    assert_eq!(
        isoinfo(&bytes, &["-J", "-x", "/user-data"]).unwrap(),
        b"#cloud-config\n"
    );
    assert_eq!(
        isoinfo(&bytes, &["-x", "/META-DATA.;1"]).unwrap(),
        b"instance-id: a\n"
    );
}

#[test]
fn hundreds_of_files_fill_several_sectors_of_directory() {
    let name = |at: usize| format!("a-rather-long-file-name-number-{at:03}.conf");
    let entries = (0..300)
        .map(|at| entry(&name(at), format!("{at}").as_bytes()))
        .collect();
    let bytes = image("many", entries);
    let Some(files) = listed(&bytes, &["-J", "-f"]) else {
        return;
    };
    assert_eq!(
        files,
        (0..300)
            .map(|at| format!("/{}", name(at)))
            .collect::<Vec<_>>()
    );
    assert_eq!(listed(&bytes, &["-f"]).unwrap().len(), 300);
    assert_eq!(
        isoinfo(&bytes, &["-J", "-x", &format!("/{}", name(299))]).unwrap(),
        b"299"
    );
}

#[test]
fn large_and_empty_files_keep_their_bytes() {
    let large: Vec<u8> = (0..3_000_001u32).map(|at| (at % 251) as u8).collect();
    let bytes = image(
        "data",
        vec![
            entry("empty", b""),
            entry("large.bin", &large),
            entry("z", b"z"),
        ],
    );
    assert_eq!(bytes.len() % SECTOR, 0);
    let Some(read) = isoinfo(&bytes, &["-J", "-x", "/large.bin"]) else {
        return;
    };
    assert!(read == large);
    assert_eq!(isoinfo(&bytes, &["-J", "-x", "/z"]).unwrap(), b"z");
    assert_eq!(isoinfo(&bytes, &["-J", "-x", "/empty"]).unwrap(), b"");
}

#[test]
fn the_descriptors_stand_where_the_standards_want_them() {
    let bytes = image("cidata", seed());
    let sector = |at: usize| &bytes[at * SECTOR..(at + 1) * SECTOR];
    assert_eq!(&sector(16)[..7], b"\x01CD001\x01");
    assert_eq!(&sector(16)[40..46], b"cidata");
    assert_eq!(&sector(17)[..7], b"\x02CD001\x01");
    assert_eq!(&sector(17)[40..52], b"\0c\0i\0d\0a\0t\0a");
    assert_eq!(&sector(17)[88..91], b"%/E");
    assert_eq!(&sector(18)[..7], b"\xffCD001\x01");
    // The root's own record lies in the descriptor and its copy begins the directory.
    assert_eq!(sector(16)[156..190], sector(23)[..34]);
    assert_eq!(sector(16)[881], 1);
}

#[test]
fn the_same_files_make_the_same_image() {
    assert!(image("cidata", seed()) == image("cidata", seed()));
}

#[test]
fn files_lie_in_folders() {
    let entries = vec![
        entry("openstack/latest/meta_data.json", b"{}"),
        entry("openstack/latest/user_data", b"#cloud-config\n"),
        entry("openstack/content/0000", b"zero"),
        entry("a/b/c/d/e/f/g", b"deep"),
        entry("readme", b"top"),
    ];
    let bytes = image("config-2", entries);
    assert_eq!(bytes.len() % SECTOR, 0);
    let Some(files) = listed(&bytes, &["-J", "-f"]) else {
        return;
    };
    let expected = [
        "/a",
        "/a/b",
        "/a/b/c",
        "/a/b/c/d",
        "/a/b/c/d/e",
        "/a/b/c/d/e/f",
        "/a/b/c/d/e/f/g",
        "/openstack",
        "/openstack/content",
        "/openstack/content/0000",
        "/openstack/latest",
        "/openstack/latest/meta_data.json",
        "/openstack/latest/user_data",
        "/readme",
    ];
    let mut sorted = files;
    sorted.sort();
    assert_eq!(sorted, expected);
    for (path, text) in [
        ("/openstack/content/0000", &b"zero"[..]),
        ("/a/b/c/d/e/f/g", b"deep"),
    ] {
        assert_eq!(isoinfo(&bytes, &["-J", "-x", path]).unwrap(), text);
    }
    assert_eq!(
        isoinfo(&bytes, &["-x", "/OPENSTACK/LATEST/USER_DATA.;1"]).unwrap(),
        b"#cloud-config\n"
    );
    // A directory's second record is its parent's: both children of /openstack name the same sector.
    let table = isoinfo(&bytes, &["-p"]).unwrap();
    assert!(String::from_utf8_lossy(&table).contains("OPENSTACK"));
}

#[test]
fn hundreds_of_folders_fill_several_sectors_of_path_table() {
    let entries = (0..200)
        .map(|at| entry(&format!("folder-{at:03}/file"), format!("{at}").as_bytes()))
        .collect();
    let bytes = image("many", entries);
    let Some(files) = listed(&bytes, &["-J", "-f"]) else {
        return;
    };
    assert_eq!(files.len(), 400);
    assert_eq!(
        isoinfo(&bytes, &["-J", "-x", "/folder-199/file"]).unwrap(),
        b"199"
    );
    assert_eq!(
        isoinfo(&bytes, &["-x", "/FOLDER-007/FILE.;1"]).unwrap(),
        b"7"
    );
}

#[test]
fn a_long_label_is_whole_where_there_is_room() {
    let bytes = image("a-label-of-thirty-two-characters", seed());
    assert_eq!(
        &bytes[16 * SECTOR + 40..16 * SECTOR + 72],
        b"a-label-of-thirty-two-characters"
    );
    assert_eq!(&bytes[17 * SECTOR + 40..17 * SECTOR + 44], b"\0a\0-");
}

fn fault(label: &str, entries: Vec<Entry<'_>>) -> String {
    write(&mut Vec::new(), label, entries)
        .unwrap_err()
        .to_string()
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let huge = Entry {
        name: "disk".into(),
        bytes: 1 << 32,
        content: Box::new(io::empty()),
    };
    assert!(fault("data", vec![huge]).contains("disk is too large"));
    assert!(fault("data", vec![entry("a//b", b"")]).contains("cannot be the name"));
    assert!(fault("data", vec![entry("a/../b", b"")]).contains("cannot be the name"));
    assert!(fault("data", vec![entry("a", b""), entry("a/b", b"")]).contains("twice"));
    assert!(fault("data", vec![entry("1/2/3/4/5/6/7/8/9", b"")]).contains("too deep"));
    assert!(fault("", seed()).contains("label"));
    assert!(fault("a label with blanks", seed()).contains("label"));
}

#[test]
fn a_file_that_changes_its_length_is_noticed() {
    for bytes in [2, 4] {
        let entry = Entry {
            name: "secret".into(),
            bytes,
            content: Box::new(&b"abc"[..]),
        };
        assert!(
            fault("data", vec![entry]).contains("secret changed its length"),
            "{bytes}"
        );
    }
}

#[test]
fn a_path_with_an_empty_part_is_refused() {
    for path in ["/a", "a/", "a//b", "/", ""] {
        let mut bytes = Vec::new();
        let fault = write(&mut bytes, "data", vec![entry(path, b"x")]).unwrap_err();
        assert!(
            fault.to_string().contains("\"\" cannot be the name"),
            "{fault}"
        );
    }
}
