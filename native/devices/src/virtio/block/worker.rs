//! The half of a disk that works.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rustix::io::Errno;
use vm_memory::GuestAddressSpace;

use super::monitor::{Failure, Operation};
use super::request::{self, Request};
use super::{
    F_DISCARD, F_FLUSH, F_WRITE_ZEROES, ID_BYTES, MAX_DATA_BYTES, MAX_DISCARD_SECTORS,
    MAX_ZEROES_SECTORS, OnError, SECTOR, Shared,
};
use crate::memory::{GuestMemory, Ram};
use crate::virtio::{Activation, Chain, Queue, Refused, Worker};

/// A stop waits for no more requests than these.
const BATCH: usize = 16;
/// One range of a discard: sector, number of sectors, flags.
const RANGE: usize = 16;
const RANGE_UNMAP: u32 = 1;

pub struct BlockWorker {
    shared: Arc<Shared>,
    memory: GuestMemory,
    queue: Queue,
    features: u64,
    /// A request has failed and the guest is to be stopped: nothing is done until it goes on.
    held: bool,
}

impl BlockWorker {
    pub fn new(shared: Arc<Shared>, activation: Activation) -> Result<BlockWorker, Refused> {
        let Activation {
            memory,
            queues,
            features,
            ..
        } = activation;
        let queue = queues.into_iter().next().flatten().ok_or(Refused)?;
        Ok(BlockWorker {
            shared,
            memory,
            queue,
            features,
            held: false,
        })
    }
}

impl Worker for BlockWorker {
    fn queues(&self) -> Vec<&Queue> {
        vec![&self.queue]
    }

    fn notified(&mut self, _: usize) {
        let memory = self.memory.memory();
        let mut budget = BATCH;
        while !self.held {
            self.queue.silence();
            while let Some(chain) = self.queue.pop() {
                let head = chain.head_index();
                match self.serve(&memory, chain) {
                    Ok(written) => {
                        self.queue.complete(head, written);
                        // At once: the next request may take long.
                        self.queue.call_driver();
                    }
                    Err(failure) => return self.hold(failure),
                }
                budget = budget.saturating_sub(1);
                if budget == 0 {
                    return self.queue.notify_myself();
                }
            }
            if !self.queue.listen() {
                return;
            }
        }
    }

    fn drain(&mut self) {
        self.held = false;
    }
}

/// How a request ended.
enum Done {
    Well {
        /// Of the disk.
        bytes: u64,
        /// Into the guest's memory.
        written: u32,
    },
    /// The guest asks for what there is not.
    Invalid,
    Unsupported,
}

impl BlockWorker {
    /// The failed request stays the next one of the queue.
    fn hold(&mut self, failure: Failure) {
        self.queue.put_back(1);
        self.held = true;
        self.shared.monitor.fail(failure);
    }

    /// How many bytes it wrote; an error when the guest has to be stopped.
    fn serve(&self, ram: &Ram, chain: Chain) -> Result<u32, Failure> {
        let Some(mut request) = Request::parse(ram, chain) else {
            return Ok(0);
        };
        let monitor = &self.shared.monitor;
        let operation = operation(request.kind);
        let started = Instant::now();
        let (written, status) = match self.perform(&mut request) {
            Ok(Done::Well { bytes, written }) => {
                if let Some(operation) = operation {
                    monitor.count_done(operation, bytes, started.elapsed());
                }
                (written, request::STATUS_OK)
            }
            Ok(Done::Invalid) => {
                if let Some(operation) = operation {
                    monitor.count_invalid(operation);
                }
                (0, request::STATUS_IO_ERROR)
            }
            Ok(Done::Unsupported) => (0, request::STATUS_UNSUPPORTED),
            Err(error) => {
                // Only these reach the storage.
                let operation = operation.unwrap_or(Operation::Read);
                monitor.count_failed(operation);
                (0, self.after(Failure { operation, error })?)
            }
        };
        request.answer(status);
        Ok(written.saturating_add(1))
    }

    /// The policy: the status that the guest gets, or that it is stopped.
    fn after(&self, failure: Failure) -> Result<u8, Failure> {
        let writes = failure.operation != Operation::Read;
        match self.shared.options.on_error {
            OnError::Stop => Err(failure),
            OnError::Enospace if writes && failure.is_full() => Err(failure),
            OnError::Report | OnError::Enospace => Ok(request::STATUS_IO_ERROR),
            OnError::Ignore => Ok(request::STATUS_OK),
        }
    }

    fn perform(&self, request: &mut Request<'_>) -> Result<Done, Errno> {
        let storage = &self.shared.storage;
        match request.kind {
            request::IN => {
                let length = request.wanted.len();
                let Some(offset) = self.place(request.sector, length) else {
                    return Ok(Done::Invalid);
                };
                storage.read(request.wanted.slices(), offset)?;
                Ok(Done::Well {
                    bytes: length,
                    written: u32::try_from(length).unwrap_or(u32::MAX),
                })
            }
            request::OUT => {
                let length = request.given.len();
                let Some(offset) = self.place(request.sector, length).filter(|_| self.writes())
                else {
                    return Ok(Done::Invalid);
                };
                storage.write(request.given.slices(), offset, self.is_durable())?;
                Ok(changed(length))
            }
            request::FLUSH => storage.flush().map(|()| changed(0)),
            request::GET_ID => {
                let mut id = [0; ID_BYTES];
                for (to, from) in id.iter_mut().zip(self.shared.options.serial.bytes()) {
                    *to = from;
                }
                Ok(Done::Well {
                    bytes: 0,
                    written: request.wanted.write(&id),
                })
            }
            request::DISCARD | request::WRITE_ZEROES => self.clear(request),
            _ => Ok(Done::Unsupported),
        }
    }

    fn clear(&self, request: &mut Request<'_>) -> Result<Done, Errno> {
        let zeroes = request.kind == request::WRITE_ZEROES;
        let (feature, flags, most) = if zeroes {
            (F_WRITE_ZEROES, RANGE_UNMAP, MAX_ZEROES_SECTORS)
        } else {
            (F_DISCARD, 0, MAX_DISCARD_SECTORS)
        };
        if self.features & feature == 0 || request.given.len() != RANGE as u64 {
            return Ok(Done::Unsupported);
        }
        let mut range = [0; RANGE];
        request.given.read(&mut range);
        let [start @ .., a, b, c, d, e, f, g, h] = range;
        let sectors = u32::from_le_bytes([a, b, c, d]);
        let flag = u32::from_le_bytes([e, f, g, h]);
        if flag & !flags != 0 {
            return Ok(Done::Unsupported);
        }
        let length = u64::from(sectors).saturating_mul(SECTOR);
        let place = self.within(u64::from_le_bytes(start), length);
        let Some(offset) = place.filter(|_| sectors <= most && self.writes()) else {
            return Ok(Done::Invalid);
        };
        let storage = &self.shared.storage;
        if zeroes {
            let unmap = flag & RANGE_UNMAP != 0 && self.shared.options.discard;
            storage.zero(offset, length, unmap, self.is_durable())?;
        } else {
            storage.discard(offset, length)?;
        }
        Ok(changed(length))
    }

    /// Where data of a read or write begins, when it is not too much.
    fn place(&self, sector: u64, length: u64) -> Option<u64> {
        (length <= MAX_DATA_BYTES)
            .then(|| self.within(sector, length))
            .flatten()
    }

    /// Where it begins, when it is in whole blocks of this disk.
    fn within(&self, sector: u64, length: u64) -> Option<u64> {
        let block = u64::from(self.shared.options.logical_block);
        let offset = sector.checked_mul(SECTOR)?;
        let end = offset.checked_add(length)?;
        let whole = offset.is_multiple_of(block) && length.is_multiple_of(block);
        (whole && end <= self.shared.capacity).then_some(offset)
    }

    fn writes(&self) -> bool {
        !self.shared.options.read_only
    }

    fn is_durable(&self) -> bool {
        let cached = self.shared.write_cache.load(Ordering::Relaxed);
        is_durable(self.features, cached)
    }
}

/// A write is on the disk before it is done: always for a driver that cannot flush, else where there is no cache.
fn is_durable(features: u64, cached: bool) -> bool {
    features & F_FLUSH == 0 || !cached
}

/// The disk is another one now, and the guest knows no more.
fn changed(bytes: u64) -> Done {
    Done::Well { bytes, written: 0 }
}

fn operation(kind: u32) -> Option<Operation> {
    match kind {
        request::IN => Some(Operation::Read),
        request::OUT => Some(Operation::Write),
        request::FLUSH => Some(Operation::Flush),
        request::DISCARD | request::WRITE_ZEROES => Some(Operation::Unmap),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_can_flush_may_have_a_cache() {
        assert!(!is_durable(F_FLUSH, true));
        assert!(is_durable(F_FLUSH, false));
        assert!(is_durable(0, true));
        assert!(is_durable(0, false));
    }
}
