//! The connections of `launcher.sock`: requests in, answers and events out. A peer that does not read is dropped; none can
//! make the launcher wait.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendFlags, recvmsg, send,
};

use crate::error::{Refusal, Result};
use crate::frame::{Decoder, MAX_FRAME, frame};
use crate::listener::{Listener, MAX_CONNECTIONS};
use crate::plan::MAX_DESCRIPTORS;
use crate::ring::Ring;
use crate::wire::{self, Request};

/// Most bytes that wait for one peer: the ring, an answer of full length and some more.
const MAX_UNSENT: usize = 3 * MAX_FRAME;
const CHUNK: usize = 16 * 1024;

/// One request. The descriptors are those that came with it, and are closed unless it takes them.
pub struct Received {
    pub peer: u64,
    pub id: u64,
    pub request: std::result::Result<Request, Refusal>,
    pub descriptors: Vec<OwnedFd>,
}

pub struct Peers {
    listener: Listener,
    peers: Vec<Peer>,
    last_id: u64,
}

struct Peer {
    id: u64,
    socket: OwnedFd,
    decoder: Decoder,
    descriptors: Vec<OwnedFd>,
    unsent: Vec<u8>,
    subscribed: bool,
}

/// The connection is of no more use.
struct Gone;

impl Peers {
    pub fn listen(path: &Path) -> Result<Self> {
        Ok(Self {
            listener: Listener::bind(path)?,
            peers: Vec::new(),
            last_id: 0,
        })
    }

    pub fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Each connection by its id, and what is waited for on it.
    pub fn waits(&self) -> impl Iterator<Item = (u64, BorrowedFd<'_>, PollFlags)> {
        self.peers.iter().map(|peer| {
            let out = if peer.unsent.is_empty() {
                PollFlags::empty()
            } else {
                PollFlags::OUT
            };
            (peer.id, peer.socket.as_fd(), PollFlags::IN | out)
        })
    }

    pub fn accept(&mut self) {
        while let Some(socket) = self.listener.accept() {
            if self.peers.len() >= MAX_CONNECTIONS {
                continue;
            }
            self.last_id += 1;
            self.peers.push(Peer {
                id: self.last_id,
                socket,
                decoder: Decoder::default(),
                descriptors: Vec::new(),
                unsent: Vec::new(),
                subscribed: false,
            });
        }
    }

    /// What this connection has to say; it is dropped when it has ended or breaks the protocol.
    pub fn receive(&mut self, id: u64) -> Vec<Received> {
        let mut requests = Vec::new();
        let ended = self.with(id, |peer| {
            peer.read().and_then(|()| peer.requests(&mut requests))
        });
        if ended.is_err() {
            self.drop_peer(id);
        }
        requests
    }

    /// Queues a frame of this body. A peer that has left is nobody's concern.
    pub fn send(&mut self, id: u64, body: &[u8]) {
        let Some(framed) = frame(body) else { return };
        if self.with(id, |peer| peer.queue(&framed)).is_err() {
            self.drop_peer(id);
        }
    }

    /// Queues the kept events from this number on, and sends this peer all that follow.
    pub fn subscribe(&mut self, id: u64, first: u64, ring: &Ring) {
        let queued = self.with(id, |peer| {
            peer.subscribed = true;
            ring.from(first).try_for_each(|framed| peer.queue(framed))
        });
        if queued.is_err() {
            self.drop_peer(id);
        }
    }

    /// Queues an event's frame for every peer that asked for events.
    pub fn publish(&mut self, framed: &[u8]) {
        self.peers
            .retain_mut(|peer| !peer.subscribed || peer.queue(framed).is_ok());
    }

    /// Writes as much as the peers take now.
    pub fn flush(&mut self) {
        self.peers.retain_mut(|peer| peer.write().is_ok());
    }

    pub fn all_sent(&self) -> bool {
        self.peers.iter().all(|peer| peer.unsent.is_empty())
    }

    fn with(
        &mut self,
        id: u64,
        act: impl FnOnce(&mut Peer) -> std::result::Result<(), Gone>,
    ) -> std::result::Result<(), Gone> {
        self.peers
            .iter_mut()
            .find(|peer| peer.id == id)
            .map_or(Ok(()), act)
    }

    fn drop_peer(&mut self, id: u64) {
        self.peers.retain(|peer| peer.id != id);
    }
}

impl Peer {
    fn read(&mut self) -> std::result::Result<(), Gone> {
        let mut bytes = [0; CHUNK];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let parts = &mut [IoSliceMut::new(&mut bytes)];
        let message = match recvmsg(&self.socket, parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) => message,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(_) => return Err(Gone),
        };
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = part {
                self.descriptors.extend(descriptors);
            }
        }
        if message.flags.contains(ReturnFlags::CTRUNC) || self.descriptors.len() > MAX_DESCRIPTORS {
            return Err(Gone);
        }
        match bytes.get(..message.bytes) {
            None | Some([]) => Err(Gone),
            Some(received) => {
                self.decoder.push(received);
                Ok(())
            }
        }
    }

    fn requests(&mut self, into: &mut Vec<Received>) -> std::result::Result<(), Gone> {
        while let Some(body) = self.decoder.take().map_err(|_| Gone)? {
            let (id, request) = wire::parse(&body).map_err(|_| Gone)?;
            let descriptors = match request {
                Ok(Request::Start(_)) => std::mem::take(&mut self.descriptors),
                _ => Vec::new(),
            };
            into.push(Received {
                peer: self.id,
                id,
                request,
                descriptors,
            });
        }
        if self.decoder.is_between() {
            // They came with a request that has no use for them.
            self.descriptors.clear();
        }
        Ok(())
    }

    fn queue(&mut self, framed: &[u8]) -> std::result::Result<(), Gone> {
        if self.unsent.len().saturating_add(framed.len()) > MAX_UNSENT {
            return Err(Gone);
        }
        self.unsent.extend_from_slice(framed);
        Ok(())
    }

    fn write(&mut self) -> std::result::Result<(), Gone> {
        while !self.unsent.is_empty() {
            match send(&self.socket, &self.unsent, SendFlags::NOSIGNAL) {
                Ok(sent) => {
                    self.unsent.drain(..sent);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(_) => return Err(Gone),
            }
        }
        self.unsent = Vec::new();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
