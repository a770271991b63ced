//! Frames from the guest's buffers to the tap.

use std::io::Read;
use std::sync::Arc;

use rustix::io::Errno;
use vm_memory::GuestAddressSpace;

use super::counters::Counters;
use super::header::{HEADER, to_host};
use super::link::Link;
use super::wire::Wire;
use super::{MAX_FRAME, TURN};
use crate::memory::{GuestMemory, Ram};
use crate::virtio::{Chain, Queue};

pub struct Transmitter {
    queue: Queue,
    memory: GuestMemory,
    wire: Arc<dyn Wire>,
    link: Link,
    features: u64,
    frame: Box<[u8]>,
    /// The tap takes nothing now.
    blocked: bool,
    counters: Arc<Counters>,
}

impl Transmitter {
    pub fn new(
        queue: Queue,
        memory: GuestMemory,
        wire: Arc<dyn Wire>,
        link: Link,
        features: u64,
        counters: Arc<Counters>,
    ) -> Transmitter {
        Transmitter {
            queue,
            memory,
            wire,
            link,
            features,
            frame: vec![0; MAX_FRAME].into(),
            blocked: false,
            counters,
        }
    }

    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Some frames; the queue notifies itself of those that are left.
    pub fn turn(&mut self) {
        self.blocked = false;
        let memory = self.memory.memory();
        let mut left = TURN;
        loop {
            self.queue.silence();
            while let Some(chain) = self.queue.pop() {
                let head = chain.head_index();
                if !self.send(&memory, chain) {
                    self.queue.put_back(1);
                    self.blocked = true;
                    return self.queue.call_driver();
                }
                self.queue.complete(head, 0);
                left = left.saturating_sub(1);
                if left == 0 {
                    self.queue.call_driver();
                    return self.queue.notify_myself();
                }
            }
            self.queue.call_driver();
            if !self.queue.listen() {
                return;
            }
        }
    }

    /// False when the tap takes no frame now. A frame that makes no sense is dropped, and so is every frame without a link.
    fn send(&mut self, memory: &Ram, chain: Chain) -> bool {
        let gathered = self.gather(memory, chain);
        let counters = &self.counters.transmitted;
        let Some(length) = gathered.filter(|_| self.link.is_up()) else {
            counters.dropped(1);
            return true;
        };
        let frame = self.frame.get(..length).unwrap_or_default();
        loop {
            match rustix::io::write(self.wire.fd(), frame) {
                Ok(_) => counters.carried(length.saturating_sub(HEADER)),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return false,
                // The kernel has looked closer than we have, or the interface is down.
                Err(_) => counters.dropped(1),
            }
            return true;
        }
    }

    /// Copies the frame out of the guest's reach and puts a header before it that the guest was allowed to write.
    fn gather(&mut self, memory: &Ram, chain: Chain) -> Option<usize> {
        let mut reader = chain.reader(memory).ok()?;
        let length = reader.available_bytes();
        let frame = self.frame.get_mut(..length)?;
        reader.read_exact(frame).ok()?;
        let header = frame.first_chunk_mut::<HEADER>()?;
        *header = to_host(*header, length.checked_sub(HEADER)?, self.features)?;
        Some(length)
    }
}
