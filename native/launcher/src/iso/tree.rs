//! The folders of an image, once for each of its two trees.

use std::collections::BTreeMap;

use super::directory::{self, Directory, Extent, Record};
use super::names;
use super::volume::Tree;
use crate::error::{Fault, Result};

/// ISO 9660 allows so many folders inside each other, the root included.
const MAX_DEPTH: usize = 8;

/// A folder and what is in it.
#[derive(Default)]
pub struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    /// Name and number of each file.
    files: Vec<(&'a str, usize)>,
}

impl<'a> Folder<'a> {
    /// The root of these paths, whose parts are parted by slashes.
    pub fn of(paths: &[&'a str]) -> Result<Self> {
        let mut root = Self::default();
        for (number, path) in paths.iter().enumerate() {
            let mut folders: Vec<&str> = path.split('/').collect();
            let name = folders.pop().unwrap_or_default();
            let mut at = &mut root;
            for (depth, part) in folders.into_iter().enumerate() {
                if depth + 2 > MAX_DEPTH {
                    return Err(Fault::new(format!(
                        "{path:?} lies too deep for an ISO image: in {MAX_DEPTH} folders at most"
                    )));
                }
                at = at.folders.entry(part).or_default();
            }
            at.files.push((name, number));
        }
        root.check()?;
        Ok(root)
    }

    fn check(&self) -> Result<()> {
        let files = self.files.iter().map(|(name, _)| *name);
        names::check(
            &self
                .folders
                .keys()
                .copied()
                .chain(files)
                .collect::<Vec<_>>(),
        )?;
        self.folders.values().try_for_each(Self::check)
    }
}

/// A folder with its identifier in one of the trees.
struct Placed<'f, 'a> {
    identifier: Vec<u8>,
    /// Its parent's place among all folders.
    parent: usize,
    /// Identifiers of its folders, and of its files with their numbers.
    folders: Vec<(Vec<u8>, &'f Folder<'a>)>,
    files: Vec<(Vec<u8>, usize)>,
}

impl<'f, 'a> Placed<'f, 'a> {
    fn new(identifier: Vec<u8>, folder: &'f Folder<'a>, parent: usize, tree: Tree) -> Self {
        let names: Vec<&str> = folder.files.iter().map(|(name, _)| *name).collect();
        let below: Vec<&str> = folder.folders.keys().copied().collect();
        let (names, below) = match tree {
            Tree::Primary => (
                bytes(names::primary(&names)),
                bytes(names::primary_folders(&below)),
            ),
            Tree::Joliet => (joliet(&names), joliet(&below)),
        };
        let mut folders: Vec<_> = below.into_iter().zip(folder.folders.values()).collect();
        folders.sort_by(|(one, _), (other, _)| one.cmp(other));
        let numbers = folder.files.iter().map(|(_, number)| *number);
        Self {
            identifier,
            parent,
            folders,
            files: names.into_iter().zip(numbers).collect(),
        }
    }

    fn sectors(&self) -> u32 {
        let folders = self.folders.iter().map(|(identifier, _)| identifier);
        let files = self.files.iter().map(|(identifier, _)| identifier);
        directory::sectors(folders.chain(files).cloned())
    }
}

fn bytes(names: Vec<String>) -> Vec<Vec<u8>> {
    names.into_iter().map(String::into_bytes).collect()
}

fn joliet(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| names::joliet(name)).collect()
}

/// One tree, in the order of its path table: level by level, and in each by parent and identifier.
pub struct Layout<'f, 'a> {
    placed: Vec<Placed<'f, 'a>>,
    extents: Vec<Extent>,
}

impl<'f, 'a> Layout<'f, 'a> {
    pub fn of(root: &'f Folder<'a>, tree: Tree) -> Self {
        let mut placed = vec![Placed::new(vec![0], root, 0, tree)];
        let mut at = 0;
        while let Some(next) = placed.get(at) {
            let below: Vec<_> = next.folders.clone();
            placed.extend(
                below
                    .into_iter()
                    .map(|(identifier, folder)| Placed::new(identifier, folder, at, tree)),
            );
            at += 1;
        }
        Self {
            placed,
            extents: Vec::new(),
        }
    }

    /// Length in bytes of its path table.
    pub fn path_table_bytes(&self) -> u32 {
        let lengths = self
            .placed
            .iter()
            .map(|it| 8 + it.identifier.len().next_multiple_of(2));
        lengths.sum::<usize>() as u32
    }

    /// Places its directories from this sector on; returns the first one behind them.
    pub fn place(&mut self, start: u32) -> u32 {
        let mut next = start;
        self.extents = self
            .placed
            .iter()
            .map(|folder| {
                let sectors = folder.sectors();
                let extent = Extent {
                    start: next,
                    sectors,
                };
                next += sectors;
                extent
            })
            .collect();
        next
    }

    fn extent(&self, place: usize) -> Extent {
        self.extents.get(place).copied().unwrap_or_default()
    }

    pub fn root_record(&self) -> Vec<u8> {
        Record::folder(vec![0], self.extent(0)).to_bytes()
    }

    /// Its path table, with numbers by these two.
    pub fn path_table(
        &self,
        sector: impl Fn(u32) -> [u8; 4],
        parent: impl Fn(u16) -> [u8; 2],
    ) -> Vec<u8> {
        let mut table = Vec::new();
        for (place, folder) in self.placed.iter().enumerate() {
            table.push(folder.identifier.len() as u8);
            table.push(0);
            table.extend(sector(self.extent(place).start));
            table.extend(parent(folder.parent as u16 + 1));
            table.extend(&folder.identifier);
            table.resize(table.len().next_multiple_of(2), 0);
        }
        table
    }

    /// All its directories, one behind the other. `file` says where a file lies, and its bytes.
    pub fn directories(&self, file: impl Fn(usize) -> (u32, u32)) -> Vec<u8> {
        let mut all = Vec::new();
        for (place, placed) in self.placed.iter().enumerate() {
            let files = placed.files.iter().map(|(identifier, number)| {
                let (start, bytes) = file(*number);
                Record::file(identifier.clone(), start, bytes)
            });
            let below = self
                .placed
                .iter()
                .enumerate()
                .filter(|(at, it)| *at != 0 && it.parent == place)
                .map(|(at, it)| Record::folder(it.identifier.clone(), self.extent(at)));
            let records = files.chain(below).collect();
            let directory = Directory::new(self.extent(place), self.extent(placed.parent), records);
            all.extend(directory.to_bytes());
        }
        all
    }
}
