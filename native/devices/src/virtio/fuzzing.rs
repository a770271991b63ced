//! For fuzz targets: a device's worker on the caller's own thread, as soon as its driver would be ready.

use std::io;
use std::sync::Arc;

use rustix::event::Timespec;
use virtio_queue::QueueT;
use vm_memory::GuestAddress;
use vmm_sys_util::eventfd::EventFd;

use super::worker::{begin, wait};
use super::{Activation, F_EVENT_IDX, Queue, VirtioDevice, VirtioInterrupt, Worker};
use crate::memory::GuestMemory;

/// Where a queue's rings are, from `STRIDE` times its number on.
pub const DESCRIPTORS: u64 = 0;
pub const AVAILABLE: u64 = 0x1000;
pub const USED: u64 = 0x2000;
pub const STRIDE: u64 = 0x3000;

const STATUS_NEEDS_RESET: u8 = 0x40;
const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

pub struct Running {
    worker: Box<dyn Worker>,
    interrupt: VirtioInterrupt,
    /// Never told.
    stop: EventFd,
}

/// Every queue has this size. `None` where the device does not take it.
pub fn activate(
    device: &mut dyn VirtioDevice,
    memory: &GuestMemory,
    features: u64,
    size: u16,
) -> io::Result<Option<Running>> {
    let count = device.queue_sizes().len();
    let interrupt = VirtioInterrupt::new(Arc::new([]), count);
    let mut queues = Vec::new();
    for (index, start) in (0..count).zip((0..).step_by(STRIDE as usize)) {
        let at = |offset: u64| GuestAddress(offset.saturating_add(start));
        let ring = virtio_queue::Queue::new(size).and_then(|mut ring| {
            ring.try_set_desc_table_address(at(DESCRIPTORS))?;
            ring.try_set_avail_ring_address(at(AVAILABLE))?;
            ring.try_set_used_ring_address(at(USED))?;
            ring.set_event_idx(features & F_EVENT_IDX != 0);
            ring.set_ready(true);
            Ok(ring)
        });
        let ring = ring.map_err(io::Error::other)?;
        let kick = event()?;
        queues.push(Some(Queue::new(
            index,
            ring,
            memory.clone(),
            interrupt.clone(),
            Arc::new(kick),
        )));
    }
    let activation = Activation {
        memory: memory.clone(),
        queues,
        interrupt: interrupt.clone(),
        features,
    };
    let Ok(mut worker) = device.activate(activation) else {
        return Ok(None);
    };
    begin(worker.as_mut());
    let stop = event()?;
    Ok(Some(Running {
        worker,
        interrupt,
        stop,
    }))
}

impl Running {
    pub fn queues(&self) -> usize {
        self.worker.queues().len()
    }

    pub fn notified(&mut self, queue: usize) {
        self.worker.notified(queue);
    }

    /// What a device's thread does when it wakes. False when nothing would have woken it.
    pub fn turn(&mut self) -> bool {
        let woken = wait(self.worker.as_ref(), &self.stop, Some(&NOW));
        if woken.by_nothing() {
            return false;
        }
        woken.serve(self.worker.as_mut());
        true
    }

    /// The machine pauses and goes on.
    pub fn pause(&mut self) {
        self.worker.drain();
        begin(self.worker.as_mut());
    }

    /// The driver was told that its rings make no sense.
    pub fn is_broken(&self) -> bool {
        self.interrupt.status() & STATUS_NEEDS_RESET != 0
    }

    /// How many requests each queue has taken and how many it has given back, both modulo 65,536.
    pub fn positions(&self) -> Vec<(u16, u16)> {
        let queues = self.worker.queues();
        queues.iter().map(|queue| queue.positions()).collect()
    }
}

fn event() -> io::Result<EventFd> {
    EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)
}
