//! virtio-blk: a disk in a file or block device that comes open. Requests are done one after the other on the disk's own
//! thread: a slow disk holds up nobody else.

mod monitor;
mod request;
mod storage;
mod worker;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

pub use monitor::{Counts, Failure, Monitor, Operation};
pub use storage::{BLKDISCARD, BLKZEROOUT};

use super::{Activation, DeviceState, Kind, Refused, VirtioDevice, Worker};
use crate::power::PowerSink;
use storage::Storage;
use worker::BlockWorker;

/// What sectors of requests and of the configuration mean, whatever the disk's blocks are.
const SECTOR: u64 = 512;
const QUEUE_SIZE: u16 = 256;
/// A request's header and status take a descriptor each.
const MAX_SEGMENTS: u32 = 254;
const MAX_SEGMENT_BYTES: u32 = 256 << 10;
const MAX_DATA_BYTES: u64 = MAX_SEGMENTS as u64 * MAX_SEGMENT_BYTES as u64;
/// Freeing is quick; zeros may have to be written.
const MAX_DISCARD_SECTORS: u32 = (i32::MAX as u32) >> 9;
const MAX_ZEROES_SECTORS: u32 = 128 << 11;
const ID_BYTES: usize = 20;

const F_SIZE_MAX: u64 = 1 << 1;
const F_SEG_MAX: u64 = 1 << 2;
const F_RO: u64 = 1 << 5;
const F_BLK_SIZE: u64 = 1 << 6;
const F_FLUSH: u64 = 1 << 9;
const F_TOPOLOGY: u64 = 1 << 10;
const F_CONFIG_WCE: u64 = 1 << 11;
const F_DISCARD: u64 = 1 << 13;
const F_WRITE_ZEROES: u64 = 1 << 14;

/// Where the configuration says whether there is a cache that has to be flushed; the only byte that a driver may write.
const WRITE_CACHE: usize = 32;
const CONFIG_BYTES: usize = 60;

#[derive(Clone, Debug)]
pub struct Options {
    /// By which the disk goes in events and statistics.
    pub name: String,
    pub read_only: bool,
    /// 20 bytes of it are told.
    pub serial: String,
    /// Bytes; powers of two from 512.
    pub logical_block: u32,
    pub physical_block: u32,
    /// Bytes, in whole logical blocks.
    pub discard_granularity: u32,
    pub cache: Cache,
    /// Space that the guest does not need may be freed.
    pub discard: bool,
    pub on_error: OnError,
}

/// What a write that is done means. A driver that cannot flush gets `Writethrough` in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cache {
    /// The guest flushes when it wants to be sure.
    #[default]
    Writeback,
    /// It is on the disk.
    Writethrough,
}

/// What becomes of a guest whose disk fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnError {
    /// It stands still, and the request is tried again when it goes on.
    #[default]
    Stop,
    /// It is told.
    Report,
    /// It is told that all is well.
    Ignore,
    /// It stands still where storage is full, and is told of anything else.
    Enospace,
}

pub struct Block {
    shared: Arc<Shared>,
    config: [u8; CONFIG_BYTES],
}

/// By the device and its worker.
struct Shared {
    storage: Storage,
    options: Options,
    /// Bytes, in whole logical blocks.
    capacity: u64,
    /// The cache as the driver wants it; `Writeback` when true.
    write_cache: AtomicBool,
    monitor: Arc<Monitor>,
}

impl Block {
    /// `wake` is woken when the guest has to be stopped; the monitor says why.
    /// @throws `INVAL` for what is neither a file nor a block device, `BADF` for what cannot be written and should be
    pub fn new(fd: OwnedFd, options: Options, wake: PowerSink) -> Result<Block, Errno> {
        let storage = Storage::new(fd, options.read_only)?;
        let block = u64::from(options.logical_block).max(SECTOR);
        let blocks = storage.capacity().checked_div(block).unwrap_or(0);
        let shared = Shared {
            capacity: blocks.saturating_mul(block),
            storage,
            write_cache: AtomicBool::new(options.cache == Cache::Writeback),
            monitor: Arc::new(Monitor::new(options.name.clone(), wake)),
            options,
        };
        Ok(Block {
            config: config_space(&shared),
            shared: Arc::new(shared),
        })
    }

    pub fn monitor(&self) -> Arc<Monitor> {
        self.shared.monitor.clone()
    }
}

impl VirtioDevice for Block {
    fn kind(&self) -> Kind {
        Kind::Block
    }

    fn features(&self) -> u64 {
        let options = &self.shared.options;
        let always = F_SIZE_MAX | F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY;
        let by_rights = if options.read_only {
            F_RO
        } else if options.discard {
            F_CONFIG_WCE | F_WRITE_ZEROES | F_DISCARD
        } else {
            F_CONFIG_WCE | F_WRITE_ZEROES
        };
        always | by_rights
    }

    fn queue_sizes(&self) -> &[u16] {
        &[QUEUE_SIZE]
    }

    fn read_config(&self, offset: u64, data: &mut [u8]) {
        let mut config = self.config;
        if let Some(cache) = config.get_mut(WRITE_CACHE) {
            *cache = u8::from(self.shared.write_cache.load(Ordering::Relaxed));
        }
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = config.get(from..).unwrap_or_default();
        for (to, from) in data.iter_mut().zip(rest) {
            *to = *from;
        }
    }

    fn write_config(&mut self, offset: u64, data: &[u8]) {
        if let (Ok(WRITE_CACHE), &[wanted @ (0 | 1)]) = (usize::try_from(offset), data) {
            self.shared
                .write_cache
                .store(wanted == 1, Ordering::Relaxed);
        }
    }

    fn activate(&mut self, activation: Activation) -> Result<Box<dyn Worker>, Refused> {
        let worker = BlockWorker::new(self.shared.clone(), activation)?;
        Ok(Box::new(worker))
    }

    fn reset(&mut self) {
        let writeback = self.shared.options.cache == Cache::Writeback;
        self.shared.write_cache.store(writeback, Ordering::Relaxed);
        self.shared.monitor.clear_failure();
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let counts = |operation| self.shared.monitor.counts(operation);
        let (read, write) = (counts(Operation::Read), counts(Operation::Write));
        vec![
            ("readBytes", read.bytes),
            ("reads", read.operations),
            ("writtenBytes", write.bytes),
            ("writes", write.operations),
            ("flushes", counts(Operation::Flush).operations),
            ("unmaps", counts(Operation::Unmap).operations),
        ]
    }

    fn state(&self) -> DeviceState {
        DeviceState::Block {
            write_cache: self.shared.write_cache.load(Ordering::Relaxed),
        }
    }
}

/// `struct virtio_blk_config` (virtio 1.2, 5.2.4), but for the cache.
fn config_space(of: &Shared) -> [u8; CONFIG_BYTES] {
    let options = &of.options;
    let sectors = |bytes: u32| u64::from(bytes).checked_div(SECTOR).unwrap_or(0);
    let physical = options.physical_block.checked_div(options.logical_block);
    let exponent = physical.and_then(u32::checked_ilog2).unwrap_or(0);
    let fields: [(u64, usize); 21] = [
        (of.capacity.checked_div(SECTOR).unwrap_or(0), 8),
        (MAX_SEGMENT_BYTES.into(), 4),
        (MAX_SEGMENTS.into(), 4),
        // Geometry, which nobody uses.
        (0, 4),
        (options.logical_block.into(), 4),
        // Topology: logical blocks in a physical one by exponent, offset of the first, least and best size of a transfer.
        (exponent.into(), 1),
        (0, 1),
        (physical.unwrap_or(1).into(), 2),
        (0, 4),
        // Cache, unused, number of queues.
        (0, 1),
        (0, 1),
        (1, 2),
        (MAX_DISCARD_SECTORS.into(), 4),
        (1, 4),
        (sectors(options.discard_granularity), 4),
        (MAX_ZEROES_SECTORS.into(), 4),
        (1, 4),
        (options.discard.into(), 1),
        (0, 1),
        (0, 1),
        (0, 1),
    ];
    let bytes = fields
        .into_iter()
        .flat_map(|(value, width)| value.to_le_bytes().into_iter().take(width));
    let mut config = [0; CONFIG_BYTES];
    for (to, from) in config.iter_mut().zip(bytes) {
        *to = from;
    }
    config
}

#[cfg(test)]
mod tests;
