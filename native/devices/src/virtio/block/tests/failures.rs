//! Storage that fails: who is told, and what becomes of the request. The kernel's own errors, by another file behind the
//! device's descriptor.

use std::time::Duration;

use super::*;

const SIZE: u64 = 1 << 20;

fn disk(on_error: OnError) -> Disk {
    Disk::new(
        SIZE,
        Options {
            on_error,
            ..options()
        },
    )
}

fn full() -> File {
    let full = File::options().read(true).write(true).open("/dev/full");
    full.unwrap()
}

/// Writes and reads of it fail, each with `SPIPE`.
fn broken() -> File {
    let (reader, _writer) = std::io::pipe().unwrap();
    File::from(OwnedFd::from(reader))
}

impl Disk {
    fn wait_for_failure(&self) -> Failure {
        loop {
            if let Some(failure) = self.monitor.failure() {
                return failure;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// As the engine does for `stop` and `cont`.
    fn pause_and_go_on(&mut self) {
        self.driver.function.pause();
        self.monitor.clear_failure();
        self.driver.function.resume();
    }
}

#[test]
fn a_write_that_fails_stops_the_guest_and_is_done_when_it_goes_on() {
    let mut disk = disk(OnError::Stop);
    disk.exchange(&full());
    disk.driver.fill(DATA, &[3; 512]);
    disk.offer(OUT, 1, &[readable(DATA, 512)]);
    disk.driver.notify(0);
    let failure = disk.wait_for_failure();
    assert_eq!(failure.operation, Operation::Write);
    assert!(failure.is_full());
    assert!(disk.events.wake().read().is_ok());
    assert_eq!(disk.monitor.untold_failure(), Some(failure));
    assert_eq!(disk.monitor.untold_failure(), None);
    assert_eq!(disk.driver.try_used(0), None);
    // Still full: it fails again, once.
    disk.pause_and_go_on();
    disk.wait_for_failure();
    assert_eq!(disk.driver.try_used(0), None);
    disk.exchange(&disk.file.try_clone().unwrap());
    disk.pause_and_go_on();
    assert_eq!(disk.driver.used(0).1, 1);
    assert_eq!(disk.status(), OK);
    assert_eq!(disk.stored(512, 512), [3; 512]);
    assert_eq!(disk.monitor.failure(), None);
    assert_eq!(disk.monitor.counts(Operation::Write).failed, 2);
    assert_eq!(disk.monitor.counts(Operation::Write).operations, 1);
}

#[test]
fn requests_behind_the_failed_one_wait_in_their_order() {
    let mut disk = disk(OnError::Stop);
    disk.exchange(&broken());
    let header = |at: u64, disk: &mut Disk, sector: u64| {
        disk.driver.fill(at, &OUT.to_le_bytes());
        disk.driver.fill(at + 8, &sector.to_le_bytes());
        disk.driver.fill(at + 0x1000, &[sector as u8 + 1; 512]);
        let request = [
            readable(at, 16),
            readable(at + 0x1000, 512),
            writable(at + 0x20, 1),
        ];
        disk.driver.offer(0, &request)
    };
    let heads: Vec<u16> = (0..40)
        .map(|index| header(DATA + index * 0x2000, &mut disk, index))
        .collect();
    disk.driver.notify(0);
    assert_eq!(disk.wait_for_failure().error, Errno::SPIPE);
    // Notifications do not wake a disk that waits for its guest.
    disk.driver.notify(0);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(disk.driver.try_used(0), None);
    assert_eq!(disk.monitor.counts(Operation::Write).failed, 1);
    disk.exchange(&disk.file.try_clone().unwrap());
    disk.pause_and_go_on();
    for head in heads {
        assert_eq!(disk.driver.used(0), (head, 1));
    }
    assert_eq!(disk.stored(39 * 512, 512), [40; 512]);
}

#[test]
fn a_read_of_a_file_that_was_cut_is_no_zeros() {
    let mut disk = disk(OnError::Report);
    disk.file.set_len(SIZE / 2).unwrap();
    assert_eq!(disk.read(SIZE / 512 - 1, 512).0, IO_ERROR);
    assert_eq!(disk.read(SIZE / 1024 - 1, 1024).0, IO_ERROR);
    assert_eq!(disk.monitor.counts(Operation::Read).failed, 2);
    disk.file.set_len(SIZE).unwrap();
    assert_eq!(disk.read(SIZE / 512 - 1, 512), (OK, vec![0; 512]));
}

#[test]
fn by_the_policy_a_guest_is_told_or_stopped() {
    let all = [OnError::Report, OnError::Ignore, OnError::Enospace];
    for (policy, expected) in all.into_iter().zip([IO_ERROR, OK, IO_ERROR]) {
        let mut disk = disk(policy);
        disk.exchange(&broken());
        assert_eq!(disk.write(0, &[1; 512]), expected, "{policy:?}");
        assert_eq!(disk.read(0, 512).0, expected, "{policy:?}");
        assert_eq!(disk.monitor.failure(), None, "{policy:?}");
    }
    for (policy, stopped) in [(OnError::Report, false), (OnError::Enospace, true)] {
        let mut disk = disk(policy);
        disk.exchange(&full());
        disk.offer(OUT, 0, &[readable(DATA, 512)]);
        disk.driver.notify(0);
        if stopped {
            assert!(disk.wait_for_failure().is_full());
        } else {
            disk.driver.used(0);
            assert_eq!(disk.status(), IO_ERROR);
        }
    }
}

#[test]
fn a_flush_that_failed_is_not_made_good_by_the_next() {
    let mut disk = disk(OnError::Report);
    disk.exchange(&broken());
    assert_eq!(disk.ask(FLUSH, 0, &[]).0, IO_ERROR);
    disk.exchange(&disk.file.try_clone().unwrap());
    assert_eq!(disk.ask(FLUSH, 0, &[]).0, IO_ERROR);
    assert_eq!(disk.write(0, &[1; 512]), OK);
    // Not even for a driver that starts anew.
    disk.driver.start(ALL);
    assert_eq!(disk.ask(FLUSH, 0, &[]).0, IO_ERROR);
    assert_eq!(disk.monitor.counts(Operation::Flush).failed, 3);
}

#[test]
fn a_driver_that_resets_the_disk_takes_its_request_back() {
    let mut disk = disk(OnError::Stop);
    disk.exchange(&full());
    disk.offer(OUT, 1, &[readable(DATA, 512)]);
    disk.driver.notify(0);
    disk.wait_for_failure();
    disk.driver.set_status(0);
    assert_eq!(disk.monitor.failure(), None);
    assert_eq!(disk.monitor.untold_failure(), None);
    disk.exchange(&disk.file.try_clone().unwrap());
    disk.driver.start(ALL);
    assert_eq!(disk.driver.try_used(0), None);
    assert_eq!(disk.stored(512, 512), [0; 512]);
    assert_eq!(disk.write(1, &[4; 512]), OK);
}
