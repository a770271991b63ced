//! Frames from the tap into the guest's buffers. A frame that finds no buffers is kept, and the tap is left alone until there
//! are some: then its own queue fills, and the host drops.

use std::io::Write;
use std::sync::Arc;

use rustix::io::Errno;
use virtio_queue::Writer;
use vm_memory::GuestAddressSpace;
use vm_memory::bitmap::BitmapSlice;

use super::counters::Counters;
use super::header::{HEADER, to_guest};
use super::wire::Wire;
use super::{MAX_FRAME, TURN, feature};
use crate::memory::GuestMemory;
use crate::virtio::Queue;

pub struct Receiver {
    queue: Queue,
    memory: GuestMemory,
    wire: Arc<dyn Wire>,
    features: u64,
    frame: Box<[u8]>,
    /// How much of `frame` waits for buffers.
    held: Option<usize>,
    /// The tap is no more, which its reader would be told for ever.
    gone: bool,
    counters: Arc<Counters>,
}

enum Outcome {
    /// It is the guest's, or nobody's.
    Done,
    /// The queue will tell when there are more buffers.
    Starved,
}

/// A request that was taken; `None` where it does not lie in memory.
type Taken<'a, B> = (u16, Option<Writer<'a, B>>);

impl Receiver {
    pub fn new(
        queue: Queue,
        memory: GuestMemory,
        wire: Arc<dyn Wire>,
        features: u64,
        counters: Arc<Counters>,
    ) -> Receiver {
        Receiver {
            queue,
            memory,
            wire,
            features,
            frame: vec![0; MAX_FRAME].into(),
            held: None,
            gone: false,
            counters,
        }
    }

    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    pub fn wants_frames(&self) -> bool {
        self.held.is_none() && !self.gone
    }

    /// Some frames; the tap stays readable while there are more.
    pub fn turn(&mut self) {
        self.queue.silence();
        for _ in 0..TURN {
            let Some(length) = self.held.take().or_else(|| self.read()) else {
                break;
            };
            if matches!(self.deliver(length), Outcome::Starved) {
                self.held = Some(length);
                break;
            }
        }
        self.queue.call_driver();
    }

    /// Of what has come and was not delivered yet.
    pub fn discard(&mut self) {
        let held = usize::from(self.held.take().is_some());
        let gone = super::discard(self.wire.as_ref()).saturating_add(held);
        self.counters.received.dropped(gone);
    }

    fn read(&mut self) -> Option<usize> {
        loop {
            match rustix::io::read(self.wire.fd(), &mut *self.frame) {
                Ok(length) if length > HEADER => return Some(length),
                Ok(1..) => self.counters.received.dropped(1),
                Err(Errno::AGAIN) => return None,
                Err(Errno::INTR) => {}
                _ => {
                    self.gone = true;
                    return None;
                }
            }
        }
    }

    fn deliver(&mut self, length: usize) -> Outcome {
        let memory = self.memory.memory();
        let mergeable = self.features & feature::MRG_RXBUF != 0;
        let mut taken = Vec::new();
        let mut room = 0usize;
        while room < length {
            // Larger than the whole ring, or than the one buffer that it may have.
            let limit = if mergeable { self.queue.size() } else { 1 };
            if taken.len() >= usize::from(limit) {
                self.queue.put_back(taken.len());
                self.counters.received.dropped(1);
                return Outcome::Done;
            }
            let Some(chain) = self.queue.pop() else {
                if self.queue.listen() {
                    continue;
                }
                self.queue.put_back(taken.len());
                return Outcome::Starved;
            };
            let head = chain.head_index();
            let writer = chain.writer(&memory).ok();
            let more = writer.as_ref().map_or(0, Writer::available_bytes);
            room = room.saturating_add(more);
            taken.push((head, writer));
        }
        match self.scatter(length, taken) {
            Some(done) => {
                self.queue.complete_together(&done);
                self.counters
                    .received
                    .carried(length.saturating_sub(HEADER));
            }
            None => self.counters.received.dropped(1),
        }
        Outcome::Done
    }

    /// Writes the frame into the buffers and says how much each got. `None` when the guest cannot take such a frame; its buffers
    /// are given back.
    fn scatter<B: BitmapSlice>(
        &mut self,
        length: usize,
        taken: Vec<Taken<'_, B>>,
    ) -> Option<Vec<(u16, u32)>> {
        let count = u16::try_from(taken.len()).unwrap_or(u16::MAX);
        let header = self.frame.first_chunk_mut::<HEADER>()?;
        let Some(checked) = to_guest(*header, count, self.features) else {
            self.queue.put_back(taken.len());
            return None;
        };
        *header = checked;
        let mut left = self.frame.get(..length).unwrap_or_default();
        let filled = taken.into_iter().map(|(head, writer)| {
            let written = writer.map_or(0, |mut writer| writer.write(left).unwrap_or(0));
            left = left.get(written..).unwrap_or_default();
            (head, u32::try_from(written).unwrap_or(0))
        });
        Some(filled.collect())
    }
}
