//! With a kernel that only remembers what it was told.

use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::super::{Net, Settings};
use super::*;
use crate::bus::lock;
use crate::testing::driver::Driver;

#[derive(Default)]
struct Memory {
    calls: Mutex<Vec<Call>>,
    positions: Mutex<[u16; 2]>,
    lacks: u64,
    /// The number of the call that fails.
    fails_at: Option<usize>,
    heard: AtomicUsize,
}

impl Kernel for Arc<Memory> {
    fn features(&self) -> io::Result<u64> {
        Ok(!self.lacks)
    }

    fn tell(&self, call: &Call) -> io::Result<()> {
        lock(&self.calls).push(call.clone());
        let number = self.heard.fetch_add(1, Ordering::Relaxed) + 1;
        if self.fails_at == Some(number) {
            return Err(io::Error::other("no"));
        }
        Ok(())
    }

    fn position(&self, ring: u32) -> io::Result<u16> {
        Ok(lock(&self.positions)[ring as usize])
    }
}

struct Socket(OwnedFd);

impl Wire for Socket {
    fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn set_features(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn segments_udp(&self) -> bool {
        false
    }
}

struct Card {
    driver: Driver,
    kernel: Arc<Memory>,
    wire: Arc<Socket>,
    peer: OwnedFd,
    link: Link,
}

const ACCEPTED: u64 = F_EVENT_IDX | feature::MRG_RXBUF | feature::GUEST_CSUM;

fn card(kernel: Memory) -> Card {
    let kernel = Arc::new(kernel);
    let vhost = Vhost::with(Box::new(kernel.clone())).unwrap();
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (ours, peer) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    let wire = Arc::new(Socket(ours));
    let link = Link::new(true).unwrap();
    let settings = Settings {
        mac: [2; 6],
        mtu: None,
    };
    let net = Net::new(settings, wire.clone(), Some(vhost), link.clone());
    let mut driver = Driver::new(Box::new(net));
    driver.set_up(ACCEPTED);
    driver.set_status(0x0f);
    Card {
        driver,
        kernel,
        wire,
        peer,
        link,
    }
}

impl Card {
    /// What the kernel was told, once there is that much.
    fn told(&self, count: usize) -> Vec<Call> {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let mut calls = lock(&self.kernel.calls);
            if calls.len() >= count {
                return std::mem::take(&mut calls);
            }
            drop(calls);
            assert!(
                std::time::Instant::now() < deadline,
                "the kernel hears nothing"
            );
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    fn stops(&self) -> [Call; 2] {
        [Call::Backend(0, -1), Call::Backend(1, -1)]
    }
}

/// Owner, features, memory, six for each ring, two backends.
const START: usize = 17;

#[test]
fn the_kernel_gets_all_it_needs_before_it_works() {
    let card = card(Memory::default());
    let calls = card.told(START);
    let features = F_VERSION_1 | F_EVENT_IDX | feature::MRG_RXBUF;
    assert_eq!(calls[..2], [Call::Owner, Call::Features(features)]);
    let Call::Memory(regions) = &calls[2] else {
        panic!("{:?}", calls[2]);
    };
    assert_eq!(regions.len(), 1);
    assert_eq!((regions[0].guest, regions[0].size), (0, 16 << 20));
    for ring in 0..2u32 {
        let of_ring = &calls[3 + 6 * ring as usize..][..6];
        assert_eq!(
            of_ring[..2],
            [Call::Size(ring, 256), Call::Position(ring, 0)]
        );
        let at = regions[0].user + 0x1_0000 * (1 + u64::from(ring));
        assert_eq!(
            of_ring[2],
            Call::Addresses {
                ring,
                descriptors: at,
                available: at + 0x4000,
                used: at + 0x8000,
            }
        );
        let vector = card.driver.vectors.get(ring as usize + 1);
        let event = crate::interrupt::MsiVector::event(vector.as_ref()).as_raw_fd();
        assert_eq!(of_ring[3], Call::Interrupt(ring, event));
    }
    let tap = card.wire.0.as_raw_fd();
    assert_eq!(calls[15..], [Call::Backend(0, tap), Call::Backend(1, tap)]);
}

#[test]
fn a_pause_stops_it_and_it_goes_on_where_it_was() {
    let mut card = card(Memory::default());
    card.told(START);
    *lock(&card.kernel.positions) = [7, 300];
    card.driver.function.pause();
    assert_eq!(card.told(2), card.stops());
    card.driver.function.resume();
    let calls = card.told(START - 1);
    let positions = calls.iter().filter(|it| matches!(it, Call::Position(..)));
    let positions: Vec<_> = positions.cloned().collect();
    assert_eq!(positions, [Call::Position(0, 7), Call::Position(1, 300)]);
}

#[test]
fn a_reset_stops_it_before_the_driver_goes_on() {
    let mut card = card(Memory::default());
    card.told(START);
    card.driver.set_status(0);
    assert_eq!(card.told(2), card.stops());
}

#[test]
fn it_stands_still_while_there_is_no_link() {
    let card = card(Memory::default());
    card.told(START);
    card.link.set(false);
    assert_eq!(card.told(2), card.stops());
    rustix::io::write(&card.peer, &[0; 100]).unwrap();
    card.link.set(true);
    assert_eq!(card.told(START - 1).len(), START - 1);
    // What came meanwhile is gone.
    assert!(rustix::io::read(&card.wire.0, &mut [0; 100][..]).is_err());
}

#[test]
fn a_kernel_that_refuses_tells_the_driver_to_start_again() {
    for fails_at in 2..=START {
        let mut card = card(Memory {
            fails_at: Some(fails_at),
            ..Memory::default()
        });
        card.driver.wait_for_needs_reset();
        // It is not left half running.
        let calls = card.told(fails_at);
        let begun = calls.iter().any(|it| matches!(it, Call::Backend(_, 0..)));
        let ended = calls.contains(&Call::Backend(0, -1));
        assert!(ended || !begun, "{calls:?}");
        card.driver.start(ACCEPTED);
        assert_eq!(card.told(START - 1).len(), START - 1);
    }
}

/// As the kernel does when it finds nonsense.
fn complain(calls: &[Call]) {
    let error = calls.iter().find_map(|it| match it {
        Call::Error(0, fd) => Some(*fd),
        _ => None,
    });
    // SAFETY: the card's own, which is open.
    let error = unsafe { std::os::fd::BorrowedFd::borrow_raw(error.unwrap()) };
    rustix::io::write(error, &1u64.to_ne_bytes()).unwrap();
}

#[test]
fn a_ring_that_makes_no_sense_to_the_kernel_needs_a_reset() {
    let mut card = card(Memory::default());
    complain(&card.told(START));
    card.driver.wait_for_needs_reset();
    assert_eq!(card.told(2), card.stops());
}

#[test]
fn what_was_wrong_with_a_driver_is_not_held_against_the_next() {
    let mut card = card(Memory::default());
    let calls = card.told(START);
    card.driver.function.pause();
    complain(&calls);
    card.told(2);
    card.driver.start(ACCEPTED);
    card.told(START - 1);
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(card.driver.status(), 0x0f);
}

#[test]
fn a_kernel_that_knows_too_little_is_refused_by_name() {
    let kernel = Arc::new(Memory {
        lacks: feature::MRG_RXBUF,
        ..Memory::default()
    });
    let refused = Vhost::with(Box::new(kernel)).map(drop).unwrap_err();
    assert!(refused.to_string().contains("0x8000"), "{refused}");
}
