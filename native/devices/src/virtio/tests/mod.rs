//! All devices alike: a driver that somebody else wrote, and one that means ill.

mod evil;
mod independent;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::MemfdFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::VirtioDevice;
use super::block::{Block, Cache, OnError, Options};
use super::net::{Link, Net, Settings, Wire};
use super::rng::Rng;
use crate::power;

const DISK_BYTES: u64 = 1 << 20;

fn rng() -> Box<dyn VirtioDevice> {
    Box::new(Rng::default())
}

/// A disk, and its file.
fn disk() -> (Box<dyn VirtioDevice>, File) {
    let file = rustix::fs::memfd_create("disk", MemfdFlags::CLOEXEC).unwrap();
    let file = File::from(file);
    file.set_len(DISK_BYTES).unwrap();
    let options = Options {
        name: "disk-a".into(),
        read_only: false,
        serial: "1234".into(),
        logical_block: 512,
        physical_block: 4096,
        discard_granularity: 512,
        cache: Cache::Writeback,
        discard: true,
        on_error: OnError::Report,
    };
    let own = file.try_clone().unwrap().into();
    let block = Block::new(own, options, power::channel().unwrap().0).unwrap();
    (Box::new(block), file)
}

const MAC: [u8; 6] = [2, 0, 0, 1, 2, 3];

/// A socket whose messages are frames.
struct Socket(OwnedFd);

impl Wire for Socket {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn set_features(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn segments_udp(&self) -> bool {
        false
    }
}

/// A card, and the other end of its wire.
fn card() -> (Box<dyn VirtioDevice>, OwnedFd) {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
    let (own, peer) = pair.unwrap();
    let settings = Settings {
        mac: MAC,
        mtu: None,
    };
    let link = Link::new(true).unwrap();
    let card = Net::new(settings, Arc::new(Socket(own)), None, link);
    (Box::new(card), peer)
}
