//! What is written is read again, by the guest and by whoever has the file.

use std::os::unix::fs::MetadataExt;

use vm_memory::bitmap::Bitmap;
use vm_memory::{GuestAddress, GuestAddressSpace, GuestMemoryBackend, GuestMemoryRegion};

use super::*;
use crate::testing::dice::Dice;

const SIZE: u64 = 1 << 20;

/// Cuts a buffer into up to `most` pieces, none of them empty, sizes as they fall.
fn cut(dice: &mut Dice, whole: Buffer, most: u64) -> Vec<Buffer> {
    let mut rest = whole;
    let mut pieces = Vec::new();
    for _ in 0..dice.below(most) {
        if rest.length < 2 {
            break;
        }
        let length = 1 + dice.below(u64::from(rest.length) - 1) as u32;
        pieces.push(Buffer { length, ..rest });
        rest.address += u64::from(length);
        rest.length -= length;
    }
    pieces.push(rest);
    pieces
}

/// Random reads, writes, zeroes and discards, in random descriptors, against a model of the disk.
#[test]
fn a_disk_is_what_was_written_to_it() {
    for seed in 0..6 {
        let mut dice = Dice::new(seed);
        let mut disk = Disk::new(SIZE, options());
        let mut model = vec![0; SIZE as usize];
        for step in 0..200 {
            random_step(&mut dice, &mut disk, &mut model);
            if step % 50 == 0 {
                assert!(disk.stored(0, SIZE as usize) == model, "seed {seed}");
            }
        }
        assert!(disk.stored(0, SIZE as usize) == model, "seed {seed}");
    }
}

fn random_step(dice: &mut Dice, disk: &mut Disk, model: &mut [u8]) {
    let sector = dice.below(SIZE / 512);
    let sectors = dice.below((SIZE / 512 - sector).min(96) + 1);
    let length = (sectors * 512) as usize;
    let range = (sector * 512) as usize..(sector * 512) as usize + length;
    match dice.below(5) {
        0 | 1 => {
            let bytes = dice.bytes(length);
            disk.driver.fill(DATA, &bytes);
            let data = cut(dice, readable(DATA, length as u32), 12);
            assert_eq!(disk.ask(OUT, sector, &data), (OK, 1));
            model[range].copy_from_slice(&bytes);
        }
        2 | 3 => {
            disk.driver.fill(DATA, &vec![0xdd; length]);
            let data = cut(dice, writable(DATA, length as u32), 12);
            assert_eq!(disk.ask(IN, sector, &data), (OK, length as u32 + 1));
            assert!(disk.driver.bytes(DATA, length) == model[range]);
        }
        _ => {
            let unmap = dice.below(2) as u32;
            let status = disk.clear(WRITE_ZEROES, sector, sectors as u32, unmap);
            assert_eq!(status, OK);
            model[range].fill(0);
        }
    }
}

#[test]
fn header_and_status_may_be_cut_and_joined_at_will() {
    let mut disk = Disk::new(SIZE, options());
    let bytes = Dice::new(1).bytes(1024);
    disk.header(OUT, 3);
    disk.driver.fill(HEADER + 16, &bytes);
    // Header and data in one, and the status alone.
    let length = disk
        .driver
        .request(0, &[readable(HEADER, 16 + 1024), writable(STATUS, 1)]);
    assert_eq!((length, disk.status()), (1, OK));
    assert_eq!(disk.stored(3 * 512, 1024), bytes);
    // The header in three parts, data and status in one.
    disk.header(IN, 3);
    let parts = [
        readable(HEADER, 1),
        readable(HEADER + 1, 8),
        readable(HEADER + 9, 7),
        writable(DATA, 1025),
    ];
    assert_eq!(disk.driver.request(0, &parts), 1025);
    assert_eq!(disk.driver.bytes(DATA, 1024), bytes);
    assert_eq!(disk.driver.bytes(DATA + 1024, 1), [OK]);
}

#[test]
fn a_request_as_large_as_is_allowed_goes_through_in_full() {
    let mut disk = Disk::new(64 << 20, options());
    // More than the driver's memory holds: every segment is the same one.
    let segment = readable(DATA, 256 << 10);
    let bytes = Dice::new(2).bytes(256 << 10);
    disk.driver.fill(DATA, &bytes);
    assert_eq!(disk.ask(OUT, 0, &[segment; 254]).0, OK);
    assert_eq!(disk.stored(253 * (256 << 10), 256 << 10), bytes);
    let too_much = disk.ask(OUT, 0, &[readable(DATA, (256 << 10) + 512); 254]);
    assert_eq!(too_much.0, IO_ERROR);
}

#[test]
fn many_requests_at_once_are_all_done() {
    let mut disk = Disk::new(SIZE, options());
    let count = 80;
    for index in 0..count {
        let at = DATA + index * 0x400;
        disk.driver.fill(at, &[IN.to_le_bytes(), [0; 4]].concat());
        disk.driver.fill(at + 8, &index.to_le_bytes());
        disk.file
            .write_all_at(&[index as u8; 512], index * 512)
            .unwrap();
        let request = [
            readable(at, 16),
            writable(at + 0x100, 512),
            writable(at + 0x80, 1),
        ];
        disk.driver.offer(0, &request);
    }
    disk.driver.notify(0);
    for index in 0..count {
        assert_eq!(disk.driver.used(0).1, 513);
        let read = disk.driver.bytes(DATA + index * 0x400 + 0x100, 512);
        assert_eq!(read, [index as u8; 512]);
    }
    assert!(disk.driver.vectors.get(1).raised() > 0);
}

#[test]
fn the_serial_number_is_told_as_far_as_it_fits() {
    let mut disk = Disk::new(SIZE, options());
    assert_eq!(disk.ask(GET_ID, 0, &[writable(DATA, 20)]), (OK, 21));
    let mut id = b"SN-1".to_vec();
    id.resize(20, 0);
    assert_eq!(disk.driver.bytes(DATA, 20), id);
    let long = Options {
        serial: "123456789012345678901234".into(),
        ..options()
    };
    let mut disk = Disk::new(SIZE, long);
    assert_eq!(disk.ask(GET_ID, 0, &[writable(DATA, 64)]), (OK, 21));
    assert_eq!(disk.driver.bytes(DATA, 21), b"12345678901234567890\0");
    assert_eq!(disk.ask(GET_ID, 0, &[writable(DATA, 3)]), (OK, 4));
}

#[test]
fn a_discard_frees_space() {
    let mut disk = Disk::new(SIZE, options());
    assert_eq!(disk.write(0, &[7; 256 << 10]), OK);
    let before = disk.file.metadata().unwrap().blocks();
    assert_eq!(disk.clear(DISCARD, 0, 256, 0), OK);
    assert!(disk.file.metadata().unwrap().blocks() < before);
    assert_eq!(disk.file.metadata().unwrap().len(), SIZE);
    assert_eq!(disk.read(256, 512).1, [7; 512]);
}

#[test]
fn zeroes_keep_their_space_unless_they_need_not() {
    let mut disk = Disk::new(SIZE, options());
    assert_eq!(disk.write(0, &[7; 256 << 10]), OK);
    let before = disk.file.metadata().unwrap().blocks();
    assert_eq!(disk.clear(WRITE_ZEROES, 0, 256, 0), OK);
    assert_eq!(disk.file.metadata().unwrap().blocks(), before);
    assert_eq!(disk.stored(0, 128 << 10), [0; 128 << 10]);
    assert_eq!(disk.clear(WRITE_ZEROES, 0, 512, 1), OK);
    assert!(disk.file.metadata().unwrap().blocks() < before);
    assert_eq!(disk.stored(0, 256 << 10), [0; 256 << 10]);
}

#[test]
fn a_disk_that_was_filled_on_purpose_stays_full() {
    let kept = Options {
        discard: false,
        ..options()
    };
    let mut disk = Disk::new(SIZE, kept);
    assert_eq!(disk.write(0, &[7; 256 << 10]), OK);
    let before = disk.file.metadata().unwrap().blocks();
    assert_eq!(disk.clear(DISCARD, 0, 256, 0), UNSUPPORTED);
    assert_eq!(disk.clear(WRITE_ZEROES, 0, 256, 1), OK);
    assert_eq!(disk.file.metadata().unwrap().blocks(), before);
    assert_eq!(disk.stored(0, 1024), [0; 1024]);
}

#[test]
fn a_file_on_a_disk_works_like_one_in_memory() {
    let path = std::env::temp_dir().join(format!("wherry-block-{}", std::process::id()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    file.set_len(SIZE).unwrap();
    let mut disk = Disk::of(file, options());
    disk.driver.start(ALL);
    assert_eq!(disk.write(8, &[7; 8192]), OK);
    assert_eq!(disk.clear(WRITE_ZEROES, 16, 2, 0), OK);
    assert_eq!(disk.clear(DISCARD, 24, 1, 0), OK);
    assert_eq!(disk.ask(FLUSH, 0, &[]), (OK, 1));
    assert_eq!(disk.stored(8 * 512, 4096), [7; 4096]);
    assert_eq!(disk.stored(16 * 512, 1024), [0; 1024]);
}

#[test]
fn what_was_done_is_counted() {
    let mut disk = Disk::new(SIZE, options());
    disk.write(0, &[1; 1024]);
    disk.write(2, &[1; 512]);
    disk.read(0, 4096);
    disk.ask(FLUSH, 0, &[]);
    disk.clear(DISCARD, 0, 3, 0);
    disk.read(SIZE / 512, 512);
    let counts = |operation| {
        let counts = disk.monitor.counts(operation);
        assert!(counts.operations == 0 || counts.nanoseconds > 0);
        (counts.operations, counts.bytes, counts.invalid)
    };
    assert_eq!(counts(Operation::Write), (2, 1536, 0));
    assert_eq!(counts(Operation::Read), (1, 4096, 1));
    assert_eq!(counts(Operation::Flush), (1, 0, 0));
    assert_eq!(counts(Operation::Unmap), (1, 1536, 0));
    assert_eq!(disk.monitor.name(), "disk-root");
    let told = disk.driver.function.counters();
    assert!(told.contains(&("writtenBytes", 1536)), "{told:?}");
}

/// KVM does not see what this process writes: a migration would leave it behind.
#[test]
fn memory_that_was_read_into_is_noted_as_written() {
    let mut disk = Disk::new(SIZE, options());
    let untouched = DATA + 0x8000;
    let memory = disk.driver.memory.clone();
    let dirty = |address: u64| {
        let ram = memory.memory();
        let region = ram.find_region(GuestAddress(address)).unwrap();
        region.bitmap().dirty_at(address as usize)
    };
    assert!(!dirty(untouched));
    disk.ask(IN, 0, &[writable(untouched, 8192)]);
    assert!(dirty(untouched) && dirty(untouched + 4096));
    assert!(!dirty(untouched + 8192));
}
