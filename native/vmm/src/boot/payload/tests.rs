use std::io::Write;

use super::*;
use crate::boot::testing::file;

/// Half of it can be packed.
fn kernel() -> Vec<u8> {
    let mut seed = 1u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    (0..300_000)
        .map(|index| if index / 1000 % 2 == 0 { noise() } else { 7 })
        .collect()
}

fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut behind = vec![0xee; 100];
    behind.extend(packed);
    let end = behind.len() as u64;
    // What follows in the file is none of the payload's.
    behind.extend([0xee; 50]);
    let file = file(&behind);
    let mut bytes = Vec::new();
    let mut reader = unpack(&file, 100..end).map_err(io::Error::other)?;
    reader.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn lz4(kernel: &[u8], block: usize) -> Vec<u8> {
    let mut packed = vec![0x02, 0x21, 0x4c, 0x18];
    for chunk in kernel.chunks(block) {
        let data = lz4_flex::block::compress(chunk);
        packed.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        packed.extend(data);
    }
    packed
}

fn gzip(kernel: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(kernel).unwrap();
    encoder.finish().unwrap()
}

fn xz(kernel: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(kernel).unwrap();
    encoder.finish().unwrap()
}

fn zstd(kernel: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(kernel, ruzstd::encoding::CompressionLevel::Fastest)
}

fn packings(kernel: &[u8]) -> [(&'static str, Vec<u8>); 5] {
    [
        ("zstd", zstd(kernel)),
        ("lz4", lz4(kernel, LZ4_BLOCK)),
        ("lz4 in blocks", lz4(kernel, 10_000)),
        ("gzip", gzip(kernel)),
        ("xz", xz(kernel)),
    ]
}

#[test]
fn every_packing_of_linux_is_unpacked() {
    let kernel = kernel();
    for (name, packed) in packings(&kernel) {
        assert!(unpacked(&packed).unwrap() == kernel, "{name}");
    }
}

#[test]
fn what_is_cut_off_is_an_error_or_short() {
    let kernel = kernel();
    for (name, packed) in packings(&kernel) {
        for length in [4, 5, 30, packed.len() / 2, packed.len() - 1] {
            let got = unpacked(&packed[..length]).unwrap_or_default();
            assert!(kernel.starts_with(&got), "{name} {length}");
            assert!(name == "xz" || got.len() < kernel.len(), "{name} {length}");
        }
    }
}

#[test]
fn damage_anywhere_harms_nothing() {
    let kernel = &kernel()[..20_000];
    for (_, packed) in packings(kernel) {
        for at in (0..packed.len()).step_by(packed.len() / 300 + 1) {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x55;
            let _ = unpacked(&damaged);
        }
    }
}

#[test]
fn the_size_that_linux_appends_to_lz4_ends_it() {
    let kernel = kernel();
    let mut packed = lz4(&kernel, LZ4_BLOCK);
    packed.extend(u32::try_from(kernel.len()).unwrap().to_le_bytes());
    let mut bytes = Vec::new();
    let file = file(&packed);
    let end = packed.len() as u64;
    let mut reader = unpack(&file, 0..end).unwrap();
    let _ = reader.read_to_end(&mut bytes);
    assert!(bytes == kernel);
}

#[test]
fn a_block_of_lz4_is_no_longer_than_linuxs() {
    let mut packed = vec![0x02, 0x21, 0x4c, 0x18];
    packed.extend(u32::MAX.to_le_bytes());
    let error = unpacked(&packed).unwrap_err().to_string();
    assert!(error.contains("too long"), "{error}");
}

#[test]
fn other_packings_are_refused_by_name() {
    let error = unpacked(b"BZh9....").unwrap_err().to_string();
    assert!(error.contains("none of zstd, lz4, gzip and xz"), "{error}");
    assert!(unpacked(b"").is_err());
}
