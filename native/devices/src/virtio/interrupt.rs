//! How a worker calls its driver.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};

use vmm_sys_util::eventfd::EventFd;

use crate::interrupt::MsiVector;

/// No vector: the driver does not want to hear.
pub const NO_VECTOR: u16 = 0xffff;

const STATUS_NEEDS_RESET: u8 = 0x40;

/// Shared by the transport, which writes what the driver says, and the device's threads. Cheap to clone; never waits.
#[derive(Clone)]
pub struct VirtioInterrupt(Arc<Shared>);

struct Shared {
    vectors: Arc<[Arc<dyn MsiVector>]>,
    config: AtomicU16,
    queues: Vec<AtomicU16>,
    /// The device status register.
    status: AtomicU8,
    /// Counts changes of the configuration space.
    generation: AtomicU8,
}

impl VirtioInterrupt {
    pub(super) fn new(vectors: Arc<[Arc<dyn MsiVector>]>, queues: usize) -> VirtioInterrupt {
        VirtioInterrupt(Arc::new(Shared {
            vectors,
            config: AtomicU16::new(NO_VECTOR),
            queues: (0..queues).map(|_| AtomicU16::new(NO_VECTOR)).collect(),
            status: AtomicU8::new(0),
            generation: AtomicU8::new(0),
        }))
    }

    /// The queue has used buffers.
    pub fn queue(&self, index: usize) {
        if let Some(vector) = self.0.queues.get(index) {
            self.raise(vector.load(Ordering::Acquire));
        }
    }

    /// What raises a queue's interrupt, for a kernel that does it by itself; `None` where the driver does not want to hear.
    pub(super) fn queue_event(&self, index: usize) -> Option<&EventFd> {
        let vector = self.0.vectors.get(usize::from(self.queue_vector(index)))?;
        Some(vector.event())
    }

    /// The configuration space has changed.
    pub fn config_changed(&self) {
        self.0.generation.fetch_add(1, Ordering::AcqRel);
        self.raise(self.0.config.load(Ordering::Acquire));
    }

    /// The driver has broken its rings: nothing more is done for it until it resets the device.
    pub fn needs_reset(&self) {
        self.0.status.fetch_or(STATUS_NEEDS_RESET, Ordering::AcqRel);
        self.config_changed();
    }

    fn raise(&self, vector: u16) {
        if let Some(vector) = self.0.vectors.get(usize::from(vector)) {
            // Fails only when it is raised already, as often as can be counted.
            let _ = vector.event().write(1);
        }
    }

    /// A vector that does not exist is none, which the driver sees when it reads it back.
    fn checked(&self, vector: u16) -> u16 {
        if usize::from(vector) < self.0.vectors.len() {
            vector
        } else {
            NO_VECTOR
        }
    }

    pub(super) fn set_config_vector(&self, vector: u16) {
        self.0.config.store(self.checked(vector), Ordering::Release);
    }

    pub(super) fn config_vector(&self) -> u16 {
        self.0.config.load(Ordering::Acquire)
    }

    pub(super) fn set_queue_vector(&self, index: usize, vector: u16) {
        if let Some(known) = self.0.queues.get(index) {
            known.store(self.checked(vector), Ordering::Release);
        }
    }

    pub(super) fn queue_vector(&self, index: usize) -> u16 {
        let known = self.0.queues.get(index);
        known.map_or(NO_VECTOR, |it| it.load(Ordering::Acquire))
    }

    pub(super) fn status(&self) -> u8 {
        self.0.status.load(Ordering::Acquire)
    }

    pub(super) fn set_status(&self, status: u8) {
        self.0.status.store(status, Ordering::Release);
    }

    pub(super) fn generation(&self) -> u8 {
        self.0.generation.load(Ordering::Acquire)
    }

    pub(super) fn reset(&self) {
        self.set_status(0);
        self.set_config_vector(NO_VECTOR);
        (0..self.0.queues.len()).for_each(|index| self.set_queue_vector(index, NO_VECTOR));
    }
}
