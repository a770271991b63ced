//! A socket where a card has its tap: each message is a frame with its header.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair};
use wherry_devices::virtio::net::{HEADER, Wire, feature};

use crate::Bytes;

/// No tap gives or takes a longer one: 64 KiB before segmentation, with an Ethernet header, tags and the card's header.
const MAX_FRAME: usize = HEADER + 65_535 + 22;

pub struct Cable {
    socket: OwnedFd,
    segments_udp: bool,
}

impl Cable {
    pub fn new(segments_udp: bool) -> (Cable, Peer) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
        let (socket, other) = pair.expect("sockets");
        let peer = Peer {
            socket: other,
            sent: 0,
            taken: (0, 0),
        };
        let cable = Cable {
            socket,
            segments_udp,
        };
        (cable, peer)
    }
}

impl Wire for Cable {
    fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn set_features(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn segments_udp(&self) -> bool {
        self.segments_udp
    }
}

/// Who is at the other end.
pub struct Peer {
    socket: OwnedFd,
    /// Frames to the card.
    pub sent: u64,
    /// Frames of the card and their bytes, without headers.
    pub taken: (u64, u64),
}

impl Peer {
    /// A length, a header, the frame's start. Gives the header, unless there was no room on the cable.
    pub fn send(&mut self, bytes: &mut Bytes<'_>) -> Option<[u8; HEADER]> {
        let length = usize::from(u16::from_le_bytes([bytes.byte(), bytes.byte()]));
        let mut frame = vec![0; HEADER + length];
        let start = bytes.short();
        let room = frame.iter_mut().zip(start);
        room.for_each(|(to, from)| *to = *from);
        rustix::io::write(&self.socket, &frame).ok()?;
        self.sent += 1;
        frame.first_chunk().copied()
    }

    /// All that has come, each frame one that a driver with these features may send.
    pub fn take(&mut self, features: u64) {
        let mut frame = vec![0; MAX_FRAME + 1];
        while let Ok(length @ 1..) = rustix::io::read(&self.socket, &mut frame) {
            assert!((HEADER..=MAX_FRAME).contains(&length), "{length} bytes");
            let header = frame.first_chunk().expect("a header");
            let length = length - HEADER;
            assert!(
                may_send(*header, length, features),
                "{header:?} with {features:#x}"
            );
            self.taken.0 += 1;
            self.taken.1 += length as u64;
        }
    }

    /// Sends no more, which the card sees as the end of its tap.
    pub fn hang_up(&self) {
        shutdown(&self.socket, Shutdown::Write).expect("a socket");
    }
}

/// Of a frame with so many bytes after its header (virtio 1.2, 5.1.6.2).
fn may_send(header: [u8; HEADER], length: usize, features: u64) -> bool {
    let [flags, kind, rest @ ..] = header;
    let word = |at: usize| usize::from(u16::from_le_bytes([rest[at], rest[at + 1]]));
    let [header_length, segment, start, offset, buffers] = [0, 2, 4, 6, 8].map(word);
    let has = |wanted: u64| features & wanted != 0;
    let sum = flags == 1 && has(feature::CSUM) && start + offset + 2 <= length;
    let segments = match kind & 0x7f {
        1 => has(feature::HOST_TSO4),
        4 => has(feature::HOST_TSO6),
        5 => has(feature::HOST_USO),
        _ => false,
    };
    let marks = kind & 0x80 == 0 || has(feature::HOST_ECN);
    (flags == 0 || sum)
        && (kind == 0 || sum && segments && marks && segment > 0)
        && header_length <= length
        && buffers == 0
}
