//! One frame with descriptors, one answer, over a connection of its own.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use crate::error::{Code, Error, Result};
use crate::unix;

/// Most descriptors in one hand-over; the kernel's own limit is 253.
pub const MAX_DESCRIPTORS: usize = 128;
/// Largest frame body in bytes, as in the launcher protocol.
pub const MAX_FRAME: usize = 1024 * 1024;
const PREFIX: usize = 4;

/// What is handed over, and to whom.
pub struct Request<'a> {
    /// The socket's name directly inside the folder.
    pub name: &'a str,
    /// A whole frame: 4 bytes of big-endian length and that many bytes.
    pub frame: &'a [u8],
    pub descriptors: &'a [BorrowedFd<'a>],
    /// Refuses to hand anything to a listener of another uid.
    pub peer_uid: Option<u32>,
    /// For connect, send and answer together.
    pub timeout: Duration,
}

/// Connects, sends the frame with its descriptors, reads one answer frame and closes. The answer keeps its length prefix.
/// Blocks for up to `timeout`: call it on a thread that may wait.
pub fn hand_over(dir: impl AsFd, request: &Request<'_>) -> Result<Vec<u8>> {
    check(request)?;
    let deadline = Instant::now() + request.timeout;
    let (socket, peer) = connect_until(dir.as_fd(), request.name, deadline)?;
    if let Some(expected) = request.peer_uid.filter(|uid| *uid != peer.uid) {
        let message = format!(
            "{} is served by uid {}, not {expected}",
            request.name, peer.uid
        );
        return Err(Error::new(Code::PermissionDenied, message));
    }
    let exchange = Exchange {
        socket: socket.as_fd(),
        name: request.name,
        deadline,
    };
    exchange.send(request)?;
    exchange.receive()
}

fn check(request: &Request<'_>) -> Result<()> {
    let refuse = |code, message: &str| Err(Error::new(code, message));
    if request.descriptors.len() > MAX_DESCRIPTORS {
        return refuse(
            Code::InvalidArgument,
            "more than 128 descriptors for one hand-over",
        );
    }
    let Some((prefix, body)) = request.frame.split_first_chunk::<PREFIX>() else {
        return refuse(
            Code::InvalidArgument,
            "a frame shorter than its length prefix",
        );
    };
    if body.len() > MAX_FRAME {
        return refuse(Code::TooLarge, "a frame above 1 MiB");
    }
    if u32::from_be_bytes(*prefix) as usize != body.len() {
        return refuse(
            Code::InvalidArgument,
            "a frame whose length prefix does not fit its body",
        );
    }
    Ok(())
}

/// A full backlog answers EAGAIN at once and cannot be polled for: try again until the time is over.
fn connect_until(
    dir: BorrowedFd<'_>,
    name: &str,
    deadline: Instant,
) -> Result<(std::os::fd::OwnedFd, unix::Peer)> {
    loop {
        match unix::connect(dir, name) {
            Err(error) if error.code == Code::Busy && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

struct Exchange<'a> {
    socket: BorrowedFd<'a>,
    name: &'a str,
    deadline: Instant,
}

impl Exchange<'_> {
    fn send(&self, request: &Request<'_>) -> Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !request.descriptors.is_empty()
            && !control.push(SendAncillaryMessage::ScmRights(request.descriptors))
        {
            return Err(Error::new(
                Code::InvalidArgument,
                "more descriptors than fit in one message",
            ));
        }
        let flags = SendFlags::NOSIGNAL;
        let first = self.until_ready(PollFlags::OUT, "sending to", || {
            rustix::net::sendmsg(
                self.socket,
                &[IoSlice::new(request.frame)],
                &mut control,
                flags,
            )
        })?;
        // The descriptors went with the first bytes; a frame larger than the socket's buffer follows piece by piece.
        let mut rest = request.frame.get(first..).unwrap_or_default();
        while !rest.is_empty() {
            let sent = self.until_ready(PollFlags::OUT, "sending to", || {
                rustix::net::send(self.socket, rest, flags)
            })?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    fn receive(&self) -> Result<Vec<u8>> {
        let mut frame = vec![0; PREFIX];
        self.fill(&mut frame)?;
        let length = frame
            .first_chunk::<PREFIX>()
            .map_or(0, |prefix| u32::from_be_bytes(*prefix) as usize);
        if length > MAX_FRAME {
            return Err(Error::new(
                Code::TooLarge,
                format!("{} announced a frame of {length} bytes", self.name),
            ));
        }
        frame.resize(PREFIX + length, 0);
        self.fill(&mut frame[PREFIX..])?;
        Ok(frame)
    }

    /// Reads exactly so many bytes. Descriptors that a hostile peer attaches are dropped by the kernel, for recv takes none.
    fn fill(&self, mut into: &mut [u8]) -> Result<()> {
        while !into.is_empty() {
            let read = self.until_ready(PollFlags::IN, "waiting for an answer of", || {
                rustix::net::recv(self.socket, &mut *into, RecvFlags::empty()).map(|(_, read)| read)
            })?;
            if read == 0 {
                return Err(Error::new(
                    Code::PeerClosed,
                    format!("{} closed before it answered", self.name),
                ));
            }
            into = &mut into[read..];
        }
        Ok(())
    }

    fn until_ready<T>(
        &self,
        ready: PollFlags,
        doing: &str,
        mut act: impl FnMut() -> std::result::Result<T, Errno>,
    ) -> Result<T> {
        let failed = |errno| Error::of_errno(format_args!("{doing} {}", self.name), errno);
        loop {
            match act() {
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return result.map_err(failed),
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::new(
                    Code::TimedOut,
                    format!("{} did not answer in time", self.name),
                ));
            }
            let wait = Timespec {
                tv_sec: left.as_secs() as i64,
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            match poll(&mut [PollFd::new(&self.socket, ready)], Some(&wait)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
