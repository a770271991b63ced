//! Virtio (version 1.2): what a device is made of.
//!
//! A device has two halves. The `VirtioDevice` stays with the transport: it says what it offers and keeps its configuration
//! space; its methods run on vCPU threads and never wait. The `Worker` owns the queues and does the work on a thread of its own.
//! When the driver is ready the transport hands memory, queues and interrupt to `activate`, and the worker that comes back runs
//! until the driver resets the device or the machine pauses; then it has stopped before anybody goes on. What both halves need,
//! such as an open file, they share.

pub mod block;
pub mod fuzzing;
mod interrupt;
pub mod net;
pub mod pci;
mod queue;
pub mod rng;
mod worker;

pub use interrupt::VirtioInterrupt;
pub use queue::{Chain, Queue};
pub use worker::{Readiness, Source, StartThread, Worker, WorkerThread};

use serde::{Deserialize, Serialize};

use crate::memory::GuestMemory;

/// Features of the transport and its queues, which every device has.
pub const F_VERSION_1: u64 = 1 << 32;
pub const F_EVENT_IDX: u64 = 1 << 29;
pub const F_INDIRECT_DESC: u64 = 1 << 28;

/// The kinds of devices, each with its thread's name and its rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Net,
    Block,
    Rng,
}

impl Kind {
    /// Virtio's number of it.
    pub fn id(self) -> u16 {
        match self {
            Kind::Net => 1,
            Kind::Block => 2,
            Kind::Rng => 4,
        }
    }

    /// PCI class and subclass.
    pub fn class(self) -> [u8; 2] {
        match self {
            Kind::Net => [0x02, 0x00],
            Kind::Block => [0x01, 0x80],
            Kind::Rng => [0xff, 0x00],
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Net => "net",
            Kind::Block => "block",
            Kind::Rng => "rng",
        }
    }
}

/// The half that the driver configures.
pub trait VirtioDevice: Send {
    fn kind(&self) -> Kind;

    /// Features besides the transport's.
    fn features(&self) -> u64 {
        0
    }

    /// Largest size of each queue, a power of two.
    fn queue_sizes(&self) -> &[u16];

    /// Any offset and length; what is outside the device's own space reads as zeros, which `data` is filled with.
    fn read_config(&self, _offset: u64, _data: &mut [u8]) {}

    fn write_config(&mut self, _offset: u64, _data: &[u8]) {}

    /// The driver is ready.
    fn activate(&mut self, activation: Activation) -> Result<Box<dyn Worker>, Refused>;

    /// The driver starts again; its worker is gone.
    fn reset(&mut self) {}

    /// What it has done since it was made, for metrics: names and counts.
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// What of the device is neither configuration nor queues.
    fn state(&self) -> DeviceState;
}

/// What a worker works with.
pub struct Activation {
    pub memory: GuestMemory,
    /// One for each of `queue_sizes`, `None` where the driver has not enabled it.
    pub queues: Vec<Option<Queue>>,
    pub interrupt: VirtioInterrupt,
    /// What the driver has accepted.
    pub features: u64,
}

/// The device cannot work as the driver has set it up; the driver is told to reset it.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

/// One variant for each device that keeps something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceState {
    Stateless,
    Block { write_cache: bool },
    Net(net::State),
}

#[cfg(test)]
mod tests;
