//! This process carries the frames, each by one copy in each direction.

use std::sync::Arc;

use super::counters::Counters;
use super::link::Link;
use super::receive::Receiver;
use super::transmit::Transmitter;
use super::wire::Wire;
use super::{RECEIVE, TRANSMIT};
use crate::memory::GuestMemory;
use crate::virtio::{Queue, Readiness, Source, Worker};

const READABLE: u32 = 0;
const WRITABLE: u32 = 1;
const LINK: u32 = 2;

pub struct Carrier {
    receiver: Receiver,
    transmitter: Transmitter,
    wire: Arc<dyn Wire>,
    link: Link,
    features: u64,
}

pub struct Parts {
    pub queues: [Queue; 2],
    pub memory: GuestMemory,
    pub wire: Arc<dyn Wire>,
    pub link: Link,
    pub features: u64,
    pub counters: Arc<Counters>,
}

impl Carrier {
    pub fn new(parts: Parts) -> Carrier {
        let Parts {
            queues: [receive, transmit],
            memory,
            wire,
            link,
            features,
            counters,
        } = parts;
        let (to_guest, from_guest) = (memory.clone(), memory);
        Carrier {
            receiver: Receiver::new(receive, to_guest, wire.clone(), features, counters.clone()),
            transmitter: Transmitter::new(
                transmit,
                from_guest,
                wire.clone(),
                link.clone(),
                features,
                counters,
            ),
            wire,
            link,
            features,
        }
    }

    fn receive(&mut self) {
        if self.link.is_up() {
            self.receiver.turn();
        }
    }
}

impl Worker for Carrier {
    fn queues(&self) -> Vec<&Queue> {
        vec![self.receiver.queue(), self.transmitter.queue()]
    }

    fn begin(&mut self) {
        // A tap that refuses gives frames that need nothing of the guest.
        let _ = self.wire.set_features(self.features);
    }

    fn notified(&mut self, queue: usize) {
        match queue {
            RECEIVE => self.receive(),
            TRANSMIT => self.transmitter.turn(),
            _ => {}
        }
    }

    fn sources(&self) -> Vec<Source<'_>> {
        let tap = |token, readiness| Source {
            token,
            fd: self.wire.fd(),
            readiness,
        };
        let mut sources = vec![Source {
            token: LINK,
            fd: self.link.changed(),
            readiness: Readiness::Readable,
        }];
        if self.receiver.wants_frames() && self.link.is_up() {
            sources.push(tap(READABLE, Readiness::Readable));
        }
        if self.transmitter.is_blocked() {
            sources.push(tap(WRITABLE, Readiness::Writable));
        }
        sources
    }

    fn ready(&mut self, token: u32) {
        match token {
            READABLE => self.receive(),
            WRITABLE => self.transmitter.turn(),
            LINK => {
                self.link.heard();
                if self.link.is_up() {
                    self.receiver.discard();
                    self.receiver.turn();
                }
            }
            _ => {}
        }
    }
}
