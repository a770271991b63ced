//! Reads ISO 9660 images, by ECMA-119 alone and not by the code that writes them. Panics where one is not as it should be.

use std::collections::BTreeMap;

const SECTOR: usize = 2048;

/// Sectors of the descriptors of the two trees.
pub const PRIMARY: usize = 16;
pub const JOLIET: usize = 17;

/// All files of one tree by their paths.
pub fn files(image: &[u8], descriptor: usize) -> BTreeMap<String, Vec<u8>> {
    assert_eq!(image.len() % SECTOR, 0);
    let volume = &image[descriptor * SECTOR..][..SECTOR];
    assert_eq!(volume[1..6], *b"CD001");
    assert_eq!(
        both(&volume[80..88]) * SECTOR,
        image.len(),
        "the volume is the image"
    );
    let mut found = BTreeMap::new();
    let root = Record::of(&volume[156..190]);
    assert!(root.is_folder);
    walk(image, descriptor, &root, "", 0, &mut found);
    found
}

fn walk(
    image: &[u8],
    tree: usize,
    folder: &Record<'_>,
    path: &str,
    depth: usize,
    found: &mut BTreeMap<String, Vec<u8>>,
) {
    assert!(depth < 8, "folders go no deeper");
    let directory = &image[folder.start..folder.start + folder.bytes];
    let records: Vec<Record<'_>> = directory.chunks(SECTOR).flat_map(in_sector).collect();
    let [this, parent, below @ ..] = &records[..] else {
        panic!("a folder without itself and its parent");
    };
    assert_eq!((this.name, this.start), (&[0][..], folder.start));
    assert_eq!(parent.name, [1]);
    assert!(
        below.is_sorted_by(|one, other| one.name < other.name),
        "names are in order, and no two alike"
    );
    for record in below {
        let name = format!("{path}{}", text(tree, record.name));
        if record.is_folder {
            walk(image, tree, record, &format!("{name}/"), depth + 1, found);
        } else {
            let content = &image[record.start..record.start + record.bytes];
            assert!(found.insert(name, content.to_vec()).is_none());
        }
    }
}

/// Records do not cross sectors: a zero means that no more are in this one.
fn in_sector(sector: &[u8]) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    let mut rest = sector;
    while let Some(length) = rest.first().filter(|length| **length > 0) {
        let (record, more) = rest.split_at(usize::from(*length));
        records.push(Record::of(record));
        rest = more;
    }
    records
}

struct Record<'a> {
    start: usize,
    bytes: usize,
    is_folder: bool,
    name: &'a [u8],
}

impl<'a> Record<'a> {
    fn of(record: &'a [u8]) -> Self {
        assert!(usize::from(record[0]) == record.len() && record.len().is_multiple_of(2));
        Self {
            start: both(&record[2..10]) * SECTOR,
            bytes: both(&record[10..18]),
            is_folder: record[25] & 2 != 0,
            name: &record[33..][..usize::from(record[32])],
        }
    }
}

/// A number that stands there in both byte orders.
fn both(bytes: &[u8]) -> usize {
    let (little, big) = bytes.split_at(4);
    let little = u32::from_le_bytes(little.try_into().expect("four bytes"));
    assert_eq!(
        little,
        u32::from_be_bytes(big.try_into().expect("four bytes"))
    );
    little as usize
}

fn text(tree: usize, name: &[u8]) -> String {
    if tree == PRIMARY {
        return String::from_utf8(name.to_vec()).expect("plain letters");
    }
    let units: Vec<u16> = name
        .chunks(2)
        .map(|unit| u16::from_be_bytes(unit.try_into().expect("two bytes")))
        .collect();
    String::from_utf16(&units).expect("whole characters")
}
