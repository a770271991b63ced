//! Volume descriptors (ECMA-119 §8.4, §8.5).

use super::SECTOR;
use super::directory::{both16, both32};

const NO_TIME: &[u8; 17] = b"0000000000000000\0";
const EPOCH: &[u8; 17] = b"1970010100000000\0";

#[derive(Clone, Copy, PartialEq)]
pub enum Tree {
    Primary,
    Joliet,
}

pub struct Volume<'a> {
    pub tree: Tree,
    pub label: &'a str,
    /// Length of the whole image.
    pub sectors: u32,
    /// Sectors of its path table, with little-endian and with big-endian numbers.
    pub path_tables: [u32; 2],
    /// Length in bytes of either of them.
    pub path_table_bytes: u32,
    /// Record of the root directory.
    pub root: Vec<u8>,
}

impl Volume<'_> {
    pub fn descriptor(&self) -> Vec<u8> {
        let mut sector = Vec::with_capacity(SECTOR);
        sector.push(if self.tree == Tree::Primary { 1 } else { 2 });
        sector.extend(b"CD001\x01\0");
        sector.extend(self.text("", 32));
        sector.extend(self.text(self.label, 32));
        sector.extend([0; 8]);
        sector.extend(both32(self.sectors));
        sector.extend(self.escape_sequences());
        sector.extend(both16(1)); // volumes in the set
        sector.extend(both16(1)); // this one's number
        sector.extend(both16(SECTOR as u16));
        sector.extend(both32(self.path_table_bytes));
        let [little, big] = self.path_tables;
        sector.extend(little.to_le_bytes());
        sector.extend([0; 4]); // no second copy
        sector.extend(big.to_be_bytes());
        sector.extend([0; 4]);
        sector.extend(&self.root);
        // Volume set, publisher, preparer, application; copyright, abstract and bibliographic file.
        for length in [128, 128, 128, 128, 37, 37, 37] {
            sector.extend(self.text("", length));
        }
        for time in [EPOCH, NO_TIME, NO_TIME, NO_TIME] {
            sector.extend(time);
        }
        sector.push(1); // version of the file structure
        sector.resize(SECTOR, 0);
        sector
    }

    /// Text padded with blanks to so many bytes; in Joliet's tree each character takes two.
    fn text(&self, text: &str, length: usize) -> Vec<u8> {
        let padded = |characters: usize| {
            text.chars()
                .chain(std::iter::repeat(' '))
                .take(characters)
                .collect::<String>()
        };
        match self.tree {
            Tree::Primary => padded(length).into_bytes(),
            Tree::Joliet => {
                let mut bytes = super::names::joliet(&padded(length / 2));
                bytes.resize(length, 0);
                bytes
            }
        }
    }

    /// What makes a supplementary descriptor Joliet, level 3.
    fn escape_sequences(&self) -> [u8; 32] {
        let mut sequences = [0; 32];
        if let (Tree::Joliet, [first, second, third, ..]) = (self.tree, &mut sequences) {
            (*first, *second, *third) = (b'%', b'/', b'E');
        }
        sequences
    }
}

pub fn terminator() -> Vec<u8> {
    let mut sector = b"\xffCD001\x01".to_vec();
    sector.resize(SECTOR, 0);
    sector
}
