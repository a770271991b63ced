//! Seed images: what can be written can be read again, and is what was written.

use std::collections::BTreeMap;
use std::io::Cursor;

use wherry_launcher::fuzzing::{Entry, write_iso};

use super::iso_reader;
use crate::Bytes;

const MAX_ENTRIES: usize = 64;

pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let label = bytes.text();
    let mut files = Vec::new();
    while !bytes.is_empty() && files.len() < MAX_ENTRIES {
        let name = bytes.text();
        // Long ones fill sectors, which short inputs could not.
        let content = bytes.short().repeat(1 + usize::from(bytes.byte() % 32));
        files.push((name, content));
    }
    let entries = files.iter().map(|(name, content)| Entry {
        name: name.clone(),
        bytes: content.len() as u64,
        content: Box::new(Cursor::new(content.clone())),
    });
    let mut image = Vec::new();
    if write_iso(&mut image, &label, entries.collect()).is_err() {
        return;
    }
    let joliet = iso_reader::files(&image, iso_reader::JOLIET);
    assert_eq!(joliet, files.iter().cloned().collect::<BTreeMap<_, _>>());
    // The other tree has other names for the same.
    let contents = |all: BTreeMap<String, Vec<u8>>| {
        let mut all: Vec<_> = all.into_values().collect();
        all.sort();
        all
    };
    assert_eq!(
        contents(iso_reader::files(&image, iso_reader::PRIMARY)),
        contents(joliet)
    );
}
