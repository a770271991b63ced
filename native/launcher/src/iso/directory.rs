//! Directory records and the sectors that they fill (ECMA-119 §9.1).

use super::SECTOR;

/// A number as both byte orders beside each other.
pub fn both32(value: u32) -> [u8; 8] {
    let ([a, b, c, d], [e, f, g, h]) = (value.to_le_bytes(), value.to_be_bytes());
    [a, b, c, d, e, f, g, h]
}

pub fn both16(value: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (value.to_le_bytes(), value.to_be_bytes());
    [a, b, c, d]
}

/// Where a directory lies, in sectors.
#[derive(Clone, Copy, Default)]
pub struct Extent {
    pub start: u32,
    pub sectors: u32,
}

pub struct Record {
    identifier: Vec<u8>,
    start: u32,
    bytes: u32,
    is_directory: bool,
}

impl Record {
    pub fn file(identifier: Vec<u8>, start: u32, bytes: u32) -> Self {
        Self {
            identifier,
            start,
            bytes,
            is_directory: false,
        }
    }

    pub fn folder(identifier: Vec<u8>, extent: Extent) -> Self {
        Self {
            identifier,
            start: extent.start,
            bytes: extent.sectors * SECTOR as u32,
            is_directory: true,
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut record = vec![length(&self.identifier) as u8, 0];
        record.extend(both32(self.start));
        record.extend(both32(self.bytes));
        // Years since 1900, month, day; midnight, in UTC.
        record.extend([70, 1, 1, 0, 0, 0, 0]);
        record.extend([if self.is_directory { 2 } else { 0 }, 0, 0]);
        record.extend(both16(1));
        record.push(self.identifier.len() as u8);
        record.extend(&self.identifier);
        record.resize(length(&self.identifier), 0);
        record
    }
}

/// Records have an even length.
fn length(identifier: &[u8]) -> usize {
    (33 + identifier.len()).next_multiple_of(2)
}

/// Sectors of a directory with these identifiers in it.
pub fn sectors(identifiers: impl Iterator<Item = Vec<u8>>) -> u32 {
    let mut sorted: Vec<Vec<u8>> = identifiers.collect();
    sorted.sort();
    let mut used = 2 * length(&[0]);
    for identifier in sorted {
        used = place(used, length(&identifier)) + length(&identifier);
    }
    used.div_ceil(SECTOR) as u32
}

/// Where a record goes that may not cross the end of a sector.
fn place(used: usize, length: usize) -> usize {
    let left = used.next_multiple_of(SECTOR) - used;
    if length > left {
        used.next_multiple_of(SECTOR)
    } else {
        used
    }
}

/// A directory and what is in it.
pub struct Directory {
    own: Extent,
    /// The root is its own parent.
    parent: Extent,
    records: Vec<Record>,
}

impl Directory {
    pub fn new(own: Extent, parent: Extent, mut records: Vec<Record>) -> Self {
        records.sort_by(|one, other| one.identifier.cmp(&other.identifier));
        Self {
            own,
            parent,
            records,
        }
    }

    /// The first record names the directory itself by 0, the second its parent by 1.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [
            Record::folder(vec![0], self.own).to_bytes(),
            Record::folder(vec![1], self.parent).to_bytes(),
        ]
        .concat();
        for record in &self.records {
            let record = record.to_bytes();
            bytes.resize(place(bytes.len(), record.len()), 0);
            bytes.extend(record);
        }
        bytes.resize(self.own.sectors as usize * SECTOR, 0);
        bytes
    }
}
