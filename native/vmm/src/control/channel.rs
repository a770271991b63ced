//! The socket of the control protocol: lines in, lines out, both bounded.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::error::{Fault, OrFault, Result};

/// The launcher's commands are far below.
const MAX_LINE: usize = 64 << 10;
/// A launcher that has left this much unread is not there any more.
const MAX_UNSENT: usize = 1 << 20;
const CHUNK: usize = 4096;

pub struct Channel {
    socket: File,
    held: Vec<u8>,
    unsent: Vec<u8>,
}

impl Channel {
    pub fn new(socket: OwnedFd) -> Result<Channel> {
        rustix::io::ioctl_fionbio(&socket, true).or_fault("the control socket")?;
        Ok(Channel {
            socket: File::from(socket),
            held: Vec::new(),
            unsent: Vec::new(),
        })
    }

    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    pub fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// The lines that have come; `None` when the launcher has closed its end.
    pub fn receive(&mut self) -> Result<Option<Vec<Vec<u8>>>> {
        let mut lines = Vec::new();
        loop {
            let mut bytes = [0; CHUNK];
            let length = match self.socket.read(&mut bytes) {
                Ok(0) => return Ok(None),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Some(lines)),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error).or_fault("reading the control socket"),
            };
            for part in bytes
                .get(..length)
                .unwrap_or_default()
                .split_inclusive(|it| *it == b'\n')
            {
                self.held.extend_from_slice(part);
                if self.held.len() > MAX_LINE {
                    return Err(Fault::new("a line of the control protocol is too long"));
                }
                if part.ends_with(b"\n") {
                    lines.push(std::mem::take(&mut self.held));
                }
            }
        }
    }

    pub fn send(&mut self, line: &[u8]) -> Result<()> {
        self.unsent.extend_from_slice(line);
        self.unsent.push(b'\n');
        self.flush()?;
        if self.unsent.len() > MAX_UNSENT {
            return Err(Fault::new("nobody reads the control socket"));
        }
        Ok(())
    }

    /// Writes what the socket takes now.
    pub fn flush(&mut self) -> Result<()> {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(length) => drop(self.unsent.drain(..length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).or_fault("writing the control socket"),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    fn channel() -> (Channel, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Channel::new(ours.into()).unwrap(), theirs)
    }

    #[test]
    fn lines_come_whole_however_they_were_cut() {
        let (mut channel, mut peer) = channel();
        peer.write_all(b"one\ntw").unwrap();
        assert_eq!(channel.receive().unwrap().unwrap(), [b"one\n"]);
        assert!(channel.receive().unwrap().unwrap().is_empty());
        peer.write_all(b"o\nthree\n").unwrap();
        let lines = channel.receive().unwrap().unwrap();
        assert_eq!(lines, [b"two\n".to_vec(), b"three\n".to_vec()]);
    }

    #[test]
    fn a_peer_that_has_gone_is_the_end() {
        let (mut channel, peer) = channel();
        drop(peer);
        assert!(channel.receive().unwrap().is_none());
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let (mut channel, mut peer) = channel();
        let flood = std::thread::spawn(move || peer.write_all(&[b'x'; MAX_LINE + 2]));
        let refused = loop {
            match channel.receive() {
                Ok(lines) => assert!(lines.unwrap().is_empty()),
                Err(fault) => break fault,
            }
        };
        assert!(refused.to_string().contains("too long"));
        drop(channel);
        let _ = flood.join().unwrap();
    }

    #[test]
    fn a_peer_that_does_not_read_is_given_up() {
        let (mut channel, _peer) = channel();
        let line = vec![b'x'; 10_000];
        let sent = (0..1000).find_map(|_| channel.send(&line).err());
        assert!(sent.unwrap().to_string().contains("nobody reads"));
    }
}
