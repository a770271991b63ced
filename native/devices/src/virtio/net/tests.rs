//! The card with a driver on one side and a socket for a tap on the other.

mod carrying;
mod hostile;
mod linked;
mod tap;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::*;
use crate::testing::driver::{BUFFERS, Buffer, Driver};
use crate::virtio::F_EVENT_IDX;

/// A socket whose messages are frames.
struct Pretence {
    socket: OwnedFd,
    features: AtomicU64,
    /// How often anybody wanted to read, write or wait.
    touched: AtomicUsize,
}

impl Wire for Pretence {
    fn fd(&self) -> BorrowedFd<'_> {
        self.touched.fetch_add(1, Ordering::Relaxed);
        self.socket.as_fd()
    }

    fn set_features(&self, features: u64) -> io::Result<()> {
        self.features.store(features, Ordering::Relaxed);
        Ok(())
    }

    fn segments_udp(&self) -> bool {
        true
    }
}

struct Card {
    driver: Driver,
    wire: Arc<Pretence>,
    /// What is at the other end.
    peer: Option<OwnedFd>,
    link: Link,
}

const MAC: [u8; 6] = [2, 0, 0, 1, 2, 3];
const PATIENCE: Duration = Duration::from_secs(30);

fn socket_wire() -> (Arc<Pretence>, OwnedFd) {
    let kind = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (socket, peer) = socketpair(kind.0, kind.1, flags, None).unwrap();
    let wire = Arc::new(Pretence {
        socket,
        features: AtomicU64::new(0),
        touched: AtomicUsize::new(0),
    });
    (wire, peer)
}

/// Its driver has accepted these features besides those that every one has.
fn card(features: u64) -> Card {
    let (wire, peer) = socket_wire();
    let link = Link::new(true).unwrap();
    let settings = Settings {
        mac: MAC,
        mtu: Some(1450),
    };
    let net = Net::new(settings, wire.clone(), None, link.clone());
    let mut driver = Driver::new(Box::new(net));
    driver.start(features);
    Card {
        driver,
        wire,
        peer: Some(peer),
        link,
    }
}

const USUAL: u64 = ALWAYS | F_EVENT_IDX;

impl Card {
    fn counter(&self, name: &str) -> u64 {
        let counters = self.driver.function.counters();
        counters.iter().find(|it| it.0 == name).unwrap().1
    }

    /// Of the peer: a frame with a header that asks for nothing.
    fn arrive(&self, frame: &[u8]) {
        self.arrive_with([0; HEADER], frame);
    }

    fn arrive_with(&self, header: [u8; HEADER], frame: &[u8]) {
        let peer = self.peer.as_ref().unwrap();
        let bytes = [&header[..], frame].concat();
        assert_eq!(rustix::io::write(peer, &bytes), Ok(bytes.len()));
    }

    /// What has come to the peer, if anything has.
    fn try_departed(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; MAX_FRAME + 1];
        let length = rustix::io::read(self.peer.as_ref().unwrap(), &mut bytes).ok()?;
        bytes.truncate(length);
        Some(bytes)
    }

    fn departed(&self) -> Vec<u8> {
        eventually(|| self.try_departed())
    }

    /// Gives the card one buffer to fill for each length, at 64 KiB from each other, and tells it.
    fn offer(&mut self, lengths: &[u32]) {
        for (index, length) in lengths.iter().enumerate() {
            self.driver.offer(RECEIVE, &[room(index, *length)]);
        }
        self.driver.notify(RECEIVE);
    }

    fn room_bytes(&self, index: usize, length: usize) -> Vec<u8> {
        self.driver.bytes(room(index, 0).address, length)
    }

    /// Sends a frame in one buffer and waits until the card has taken it.
    fn send(&mut self, header: [u8; HEADER], frame: &[u8]) {
        let bytes = [&header[..], frame].concat();
        self.driver.fill(OUT, &bytes);
        let buffer = out(OUT, bytes.len());
        assert_eq!(self.driver.request(TRANSMIT, &[buffer]), 0);
    }
}

/// Where frames to send lie.
const OUT: u64 = BUFFERS + (8 << 20);

fn out(address: u64, length: usize) -> Buffer {
    Buffer {
        address,
        length: length as u32,
        writable: false,
    }
}

fn room(index: usize, length: u32) -> Buffer {
    Buffer {
        address: BUFFERS + index as u64 * 0x1_0000,
        length,
        writable: true,
    }
}

/// That can be told from others.
fn frame(number: u8, length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at as u8).wrapping_mul(31).wrapping_add(number))
        .collect()
}

fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "it does not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}
