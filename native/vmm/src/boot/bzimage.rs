//! Where a bzImage keeps its kernel (Documentation/arch/x86/boot.rst).

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::error::{OrFault, Result};

/// As much of the file as has the fields below.
const HEADER: usize = 0x260;
const SETUP_SECTORS: usize = 0x1f1;
const BOOT_FLAG: usize = 0x1fe;
const MAGIC: usize = 0x202;
const PROTOCOL: usize = 0x206;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;
/// Payload fields came with this version.
const OLDEST: u16 = 0x208;
const SECTOR: u64 = 512;

/// The stretch of the file that holds the packed kernel; `None` where the file is no bzImage.
pub fn payload(file: &File) -> Result<Option<Range<u64>>> {
    let mut header = [0; HEADER];
    match file.read_exact_at(&mut header, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read.or_fault("reading the kernel")?,
    }
    Ok(find(&header))
}

fn find(header: &[u8; HEADER]) -> Option<Range<u64>> {
    let known = field::<2>(header, BOOT_FLAG)? == [0x55, 0xaa]
        && field::<4>(header, MAGIC)? == *b"HdrS"
        && u16::from_le_bytes(field(header, PROTOCOL)?) >= OLDEST;
    if !known {
        return None;
    }
    let sectors = match field::<1>(header, SETUP_SECTORS)? {
        [0] => 4,
        [count] => u64::from(count),
    };
    let code = sectors.checked_add(1)?.checked_mul(SECTOR)?;
    let offset = u32::from_le_bytes(field(header, PAYLOAD_OFFSET)?);
    let length = u32::from_le_bytes(field(header, PAYLOAD_LENGTH)?);
    let start = code.checked_add(u64::from(offset))?;
    Some(start..start.checked_add(u64::from(length))?)
}

fn field<const N: usize>(header: &[u8], at: usize) -> Option<[u8; N]> {
    header.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[SETUP_SECTORS] = 27;
        header[BOOT_FLAG..BOOT_FLAG + 2].copy_from_slice(&[0x55, 0xaa]);
        header[MAGIC..MAGIC + 4].copy_from_slice(b"HdrS");
        header[PROTOCOL..PROTOCOL + 2].copy_from_slice(&0x20fu16.to_le_bytes());
        header[PAYLOAD_OFFSET..PAYLOAD_OFFSET + 4].copy_from_slice(&0x2cau32.to_le_bytes());
        header[PAYLOAD_LENGTH..PAYLOAD_LENGTH + 4].copy_from_slice(&1000u32.to_le_bytes());
        header
    }

    #[test]
    fn finds_the_payload_behind_the_setup_code() {
        let start = 28 * 512 + 0x2ca;
        assert_eq!(find(&header()), Some(start..start + 1000));
    }

    #[test]
    fn no_setup_sectors_mean_four() {
        let mut header = header();
        header[SETUP_SECTORS] = 0;
        assert_eq!(find(&header).unwrap().start, 5 * 512 + 0x2ca);
    }

    #[test]
    fn other_files_are_no_bzimages() {
        for at in [BOOT_FLAG, MAGIC, MAGIC + 3] {
            let mut header = header();
            header[at] ^= 1;
            assert_eq!(find(&header), None, "{at:#x}");
        }
        let mut old = header();
        old[PROTOCOL] = 0x07;
        assert_eq!(find(&old), None);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut header = header();
        header[SETUP_SECTORS] = 0xff;
        header[PAYLOAD_OFFSET..PAYLOAD_LENGTH + 4].fill(0xff);
        assert!(find(&header).unwrap().end > u64::from(u32::MAX));
    }
}
