//! Writes ISO 9660 images with a Joliet tree and all files in the root: what cloud-init and its kin take as a seed. The
//! layout follows ECMA-119 and Microsoft's Joliet specification.

use std::io::{self, Read, Write};

use crate::error::{Fault, OrFault, Result};

mod directory;
mod names;
mod volume;

use directory::{Directory, Record};
use volume::{Tree, Volume};

const SECTOR: usize = 2048;
/// Sixteen sectors are the system's, then come three descriptors and four path tables of a sector each.
const PRIMARY_ROOT: u32 = 23;
/// A single extent holds less than 4 GiB.
const MAX_FILE: u64 = u32::MAX as u64 - SECTOR as u64;

/// One file of the image.
pub struct Entry<'a> {
    pub name: String,
    pub bytes: u64,
    /// Must give exactly so many bytes.
    pub content: Box<dyn Read + 'a>,
}

/// Writes the whole image. The same entries always make the same image: all times are the epoch.
pub fn write(to: &mut impl Write, label: &str, mut entries: Vec<Entry<'_>>) -> Result<()> {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names::check(&names)?;
    check_label(label)?;
    let layout = Layout::of(&names, &entries)?;
    layout
        .write_head(to, label)
        .or_fault(|| "writing an ISO image")?;
    for entry in &mut entries {
        copy(entry, to)?;
    }
    Ok(())
}

fn check_label(label: &str) -> Result<()> {
    let fits =
        !label.is_empty() && label.len() <= 16 && label.chars().all(|sign| sign.is_ascii_graphic());
    if fits {
        return Ok(());
    }
    Err(Fault::new(format!(
        "{label:?} cannot be the label of an ISO image: 1 to 16 visible ASCII characters can"
    )))
}

/// Where everything lies, in sectors.
struct Layout {
    primary: Directory,
    joliet: Directory,
    total: u32,
}

impl Layout {
    fn of(names: &[&str], entries: &[Entry<'_>]) -> Result<Self> {
        let identifiers = names::primary(names);
        let sizes: Vec<u32> = entries.iter().map(size_of).collect::<Result<_>>()?;
        // The length of a directory follows from its names alone, so it can be laid out before its files are placed.
        let primary_sectors =
            directory::sectors(identifiers.iter().map(|it| it.as_bytes().to_vec()));
        let joliet_root = PRIMARY_ROOT + primary_sectors;
        let joliet_sectors = directory::sectors(names.iter().map(|name| names::joliet(name)));
        let mut next = joliet_root + joliet_sectors;
        let mut records = (Vec::new(), Vec::new());
        for ((name, identifier), size) in names.iter().zip(identifiers).zip(sizes) {
            records
                .0
                .push(Record::file(identifier.into_bytes(), next, size));
            records
                .1
                .push(Record::file(names::joliet(name), next, size));
            next = next
                .checked_add(size.div_ceil(SECTOR as u32))
                .ok_or_else(|| Fault::new("the files of an ISO image add up to more than 8 TiB"))?;
        }
        Ok(Self {
            primary: Directory::new(PRIMARY_ROOT, primary_sectors, records.0),
            joliet: Directory::new(joliet_root, joliet_sectors, records.1),
            total: next,
        })
    }

    fn write_head(&self, to: &mut impl Write, label: &str) -> io::Result<()> {
        to.write_all(&[0; 16 * SECTOR])?;
        let of = |tree, directory: &Directory, path_table| Volume {
            tree,
            label,
            sectors: self.total,
            path_table,
            root: directory.own_record(),
        };
        to.write_all(&of(Tree::Primary, &self.primary, 19).descriptor())?;
        to.write_all(&of(Tree::Joliet, &self.joliet, 21).descriptor())?;
        to.write_all(&volume::terminator())?;
        for root in [self.primary.start, self.joliet.start] {
            to.write_all(&volume::path_table(
                &root.to_le_bytes(),
                &1u16.to_le_bytes(),
            ))?;
            to.write_all(&volume::path_table(
                &root.to_be_bytes(),
                &1u16.to_be_bytes(),
            ))?;
        }
        to.write_all(&self.primary.to_bytes())?;
        to.write_all(&self.joliet.to_bytes())
    }
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
