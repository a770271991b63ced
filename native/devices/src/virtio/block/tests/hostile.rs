//! Requests that no sound driver sends: each is refused or does nothing, and the disk works afterwards.

use super::*;
use crate::testing::driver::MEMORY;

const SECTORS: u64 = 2048;

fn disk() -> Disk {
    let disk = Disk::new(SECTORS * 512, options());
    disk.file.write_all_at(&[9; 4096], 0).unwrap();
    disk
}

fn still_works(disk: &mut Disk) {
    assert_eq!(disk.write(5, &[1; 512]), OK);
    assert_eq!(disk.read(5, 512), (OK, vec![1; 512]));
    assert_eq!(disk.stored(0, 2048), [9; 2048]);
    assert_eq!(disk.monitor.failure(), None);
}

#[test]
fn what_reaches_beyond_the_end_is_refused() {
    let mut disk = disk();
    let last = SECTORS - 1;
    let overflows = [u64::MAX, u64::MAX / 512, u64::MAX / 512 + 1, 1 << 55];
    let beyond = [(SECTORS, 1), (last, 2), (0, SECTORS as u32 + 1)];
    let all = overflows
        .map(|sector| (sector, 1))
        .into_iter()
        .chain(beyond);
    for (sector, sectors) in all {
        let length = sectors * 512;
        let at = (sector, sectors);
        assert_eq!(
            disk.ask(IN, sector, &[writable(DATA, length)]).0,
            IO_ERROR,
            "{at:?}"
        );
        assert_eq!(
            disk.ask(OUT, sector, &[readable(DATA, length)]).0,
            IO_ERROR,
            "{at:?}"
        );
        assert_eq!(disk.clear(DISCARD, sector, sectors, 0), IO_ERROR, "{at:?}");
        assert_eq!(
            disk.clear(WRITE_ZEROES, sector, sectors, 1),
            IO_ERROR,
            "{at:?}"
        );
    }
    assert_eq!(disk.read(last, 512).0, OK);
    assert_eq!(disk.clear(DISCARD, last, 1, 0), OK);
    assert_eq!(disk.clear(WRITE_ZEROES, 0, 0, 0), OK);
    assert_eq!(disk.ask(IN, SECTORS, &[]), (OK, 1));
    assert_eq!(disk.file.metadata().unwrap().len(), SECTORS * 512);
    still_works(&mut disk);
}

#[test]
fn parts_of_blocks_are_refused() {
    let mut disk = disk();
    for length in [1, 511, 513] {
        assert_eq!(disk.read(0, length).0, IO_ERROR);
        assert_eq!(disk.write(0, &vec![1; length as usize]), IO_ERROR);
    }
    still_works(&mut disk);
    let large = Options {
        logical_block: 4096,
        ..options()
    };
    let mut disk = Disk::new(SECTORS * 512, large);
    assert_eq!(disk.read(0, 512).0, IO_ERROR);
    assert_eq!(disk.read(1, 4096).0, IO_ERROR);
    assert_eq!(disk.clear(DISCARD, 8, 7, 0), IO_ERROR);
    assert_eq!(disk.read(8, 4096).0, OK);
}

#[test]
fn a_disk_that_is_read_only_stays_as_it_is() {
    let read_only = Options {
        read_only: true,
        ..options()
    };
    let mut disk = Disk::new(SECTORS * 512, read_only);
    assert_eq!(disk.write(0, &[1; 512]), IO_ERROR);
    assert_eq!(disk.clear(DISCARD, 0, 1, 0), UNSUPPORTED);
    assert_eq!(disk.clear(WRITE_ZEROES, 0, 1, 0), UNSUPPORTED);
    assert_eq!(disk.read(0, 512), (OK, vec![0; 512]));
    assert_eq!(disk.ask(FLUSH, 0, &[]).0, OK);
}

#[test]
fn what_was_not_negotiated_is_not_supported() {
    let mut disk = Disk::idle(SECTORS * 512, options());
    disk.driver.start(F_FLUSH);
    assert_eq!(disk.clear(DISCARD, 0, 1, 0), UNSUPPORTED);
    assert_eq!(disk.clear(WRITE_ZEROES, 0, 1, 0), UNSUPPORTED);
    for kind in [2, 3, 5, 10, 14, 255, u32::MAX] {
        assert_eq!(disk.ask(kind, 0, &[]), (UNSUPPORTED, 1), "{kind}");
    }
}

#[test]
fn ranges_of_other_sizes_and_flags_are_not_supported() {
    let mut disk = disk();
    for kind in [DISCARD, WRITE_ZEROES] {
        for length in [0, 1, 15, 17, 32] {
            let data = [readable(DATA, length)];
            assert_eq!(disk.ask(kind, 0, &data).0, UNSUPPORTED, "{kind} {length}");
        }
        for flags in [2, 4, 0x8000_0000] {
            assert_eq!(disk.clear(kind, 0, 1, flags), UNSUPPORTED);
        }
    }
    assert_eq!(disk.clear(DISCARD, 0, 1, 1), UNSUPPORTED);
    still_works(&mut disk);
}

#[test]
fn more_zeroes_than_the_disk_has_said_are_refused() {
    let mut disk = Disk::new(1 << 40, options());
    assert_eq!(
        disk.clear(WRITE_ZEROES, 0, MAX_ZEROES_SECTORS + 1, 1),
        IO_ERROR
    );
    assert_eq!(disk.clear(DISCARD, 0, MAX_DISCARD_SECTORS + 1, 0), IO_ERROR);
    assert_eq!(disk.clear(DISCARD, 0, u32::MAX, 0), IO_ERROR);
    assert_eq!(disk.clear(DISCARD, 0, MAX_DISCARD_SECTORS, 0), OK);
}

/// Nothing says how it went, so nothing may be done.
#[test]
fn requests_that_cannot_be_answered_come_back_undone() {
    let mut disk = disk();
    let header = disk.header(OUT, 0);
    disk.driver.fill(STATUS, &[UNTOUCHED]);
    let data = readable(DATA, 512);
    let status = writable(STATUS, 1);
    let requests: [&[Buffer]; 9] = [
        &[header],
        &[status],
        &[readable(HEADER, 15), status],
        &[header, data],
        // Data in the wrong order.
        &[header, status, data],
        &[status, header],
        // Memory that is not there.
        &[header, readable(MEMORY - 100, 512), status],
        &[header, readable(u64::MAX - 100, 512), status],
        &[header, data, writable(MEMORY, 1)],
    ];
    for request in requests {
        assert_eq!(disk.driver.request(0, request), 0, "{request:?}");
        assert_eq!(disk.status(), UNTOUCHED, "{request:?}");
    }
    assert_eq!(disk.stored(0, 512), [9; 512]);
    still_works(&mut disk);
}

#[test]
fn a_chain_without_an_end_ends() {
    let mut disk = disk();
    let header = disk.header(OUT, 0);
    disk.driver.write_descriptor(0, 0, header, 1, 1);
    disk.driver
        .write_descriptor(0, 1, readable(DATA, 512), 1, 1);
    disk.driver.make_available(0, 0);
    disk.driver.notify(0);
    assert_eq!(disk.driver.used(0), (0, 0));
    disk.driver.start(ALL);
    still_works(&mut disk);
}

#[test]
fn a_disk_reads_over_its_own_request_and_survives() {
    let mut disk = disk();
    // Rings included: they lie below.
    let header = disk.header(IN, 0);
    let over_rings = writable(0x1_0000, 64 << 10);
    disk.driver
        .offer(0, &[header, over_rings, writable(STATUS, 1)]);
    disk.driver.notify(0);
    disk.driver.wait_for_reads(&disk.monitor);
    disk.driver.start(ALL);
    still_works(&mut disk);
}

impl Driver {
    fn wait_for_reads(&mut self, monitor: &Monitor) {
        while monitor.counts(Operation::Read).operations == 0 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}
