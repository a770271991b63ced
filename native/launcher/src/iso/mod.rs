//! Writes ISO 9660 images with a Joliet tree: what cloud-init and its kin take as a seed. The layout follows ECMA-119 and
//! Microsoft's Joliet specification.

use std::io::{self, Read, Write};

use crate::error::{Fault, OrFault, Result};

mod directory;
mod names;
mod tree;
mod volume;

use tree::Folder;
use volume::{Tree, Volume};

const SECTOR: usize = 2048;
/// Sixteen sectors are the system's, then come three descriptors.
const PATH_TABLES: u32 = 19;
/// A single extent holds less than 4 GiB.
const MAX_FILE: u64 = u32::MAX as u64 - SECTOR as u64;

/// One file of the image.
pub struct Entry<'a> {
    /// Its path: the names of its folders and its own, with slashes between them.
    pub name: String,
    pub bytes: u64,
    /// Must give exactly so many bytes.
    pub content: Box<dyn Read + 'a>,
}

/// Writes the whole image. The same entries always make the same image: all times are the epoch.
pub fn write(to: &mut impl Write, label: &str, mut entries: Vec<Entry<'_>>) -> Result<()> {
    check_label(label)?;
    let head = head(label, &entries)?;
    to.write_all(&head).or_fault(|| "writing an ISO image")?;
    for entry in &mut entries {
        copy(entry, to)?;
    }
    Ok(())
}

/// The standard has room for 32 characters; Joliet's tree shows the first 16 of them.
fn check_label(label: &str) -> Result<()> {
    let fits =
        !label.is_empty() && label.len() <= 32 && label.chars().all(|sign| sign.is_ascii_graphic());
    if fits {
        return Ok(());
    }
    Err(Fault::new(format!(
        "{label:?} cannot be the label of an ISO image: 1 to 32 visible ASCII characters can"
    )))
}

fn sectors_of(bytes: u32) -> u32 {
    bytes.div_ceil(SECTOR as u32)
}

/// Everything before the content of the files: how long it is follows from their names alone.
fn head(label: &str, entries: &[Entry<'_>]) -> Result<Vec<u8>> {
    let paths: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let root = Folder::of(&paths)?;
    let mut trees = [Tree::Primary, Tree::Joliet].map(|tree| (tree, tree::Layout::of(&root, tree)));
    let mut next = PATH_TABLES;
    let mut tables = [[0; 2]; 2];
    for (pair, (_, layout)) in tables.iter_mut().zip(&trees) {
        for table in pair {
            *table = next;
            next += sectors_of(layout.path_table_bytes());
        }
    }
    for (_, layout) in &mut trees {
        next = layout.place(next);
    }
    let mut files = Vec::new();
    for entry in entries {
        let size = size_of(entry)?;
        files.push((next, size));
        next = next
            .checked_add(sectors_of(size))
            .ok_or_else(|| Fault::new("the files of an ISO image add up to more than 8 TiB"))?;
    }
    let mut head = vec![0; 16 * SECTOR];
    for ((tree, layout), path_tables) in trees.iter().zip(tables) {
        let volume = Volume {
            tree: *tree,
            label,
            sectors: next,
            path_tables,
            path_table_bytes: layout.path_table_bytes(),
            root: layout.root_record(),
        };
        head.extend(volume.descriptor());
    }
    head.extend(volume::terminator());
    for (_, layout) in &trees {
        for table in [
            layout.path_table(u32::to_le_bytes, u16::to_le_bytes),
            layout.path_table(u32::to_be_bytes, u16::to_be_bytes),
        ] {
            head.extend(table);
            head.resize(head.len().next_multiple_of(SECTOR), 0);
        }
    }
    for (_, layout) in &trees {
        let place = |number: usize| files.get(number).copied().unwrap_or_default();
        head.extend(layout.directories(place));
    }
    Ok(head)
}

fn size_of(entry: &Entry<'_>) -> Result<u32> {
    u32::try_from(entry.bytes)
        .ok()
        .filter(|_| entry.bytes <= MAX_FILE)
        .ok_or_else(|| {
            Fault::new(format!(
                "{} is too large for an ISO image: less than 4 GiB fits",
                entry.name
            ))
        })
}

fn copy(entry: &mut Entry<'_>, to: &mut impl Write) -> Result<()> {
    let Entry {
        name,
        bytes,
        content,
    } = entry;
    let doing = || format!("writing {name} into an ISO image");
    // One more than promised, so that a file that has grown is noticed.
    let copied = io::copy(&mut content.take(*bytes + 1), to).or_fault(doing)?;
    if copied != *bytes {
        return Err(Fault::new(format!(
            "{name} changed its length while it was written into an ISO image"
        )));
    }
    let padding = (*bytes as usize).next_multiple_of(SECTOR) - *bytes as usize;
    to.write_all(&vec![0; padding]).or_fault(doing)
}

#[cfg(test)]
mod tests;
