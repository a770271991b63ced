//! For fuzz targets: a device's worker on the caller's own thread, as soon as its driver would be ready.

use std::io;
use std::sync::Arc;

use virtio_queue::QueueT;
use vm_memory::GuestAddress;
use vmm_sys_util::eventfd::EventFd;

use super::{Activation, F_EVENT_IDX, Queue, VirtioDevice, VirtioInterrupt, Worker};
use crate::memory::GuestMemory;

/// Where a queue's rings are, from `STRIDE` times its number on.
pub const DESCRIPTORS: u64 = 0;
pub const AVAILABLE: u64 = 0x1000;
pub const USED: u64 = 0x2000;
pub const STRIDE: u64 = 0x3000;

/// Every queue has this size. `None` where the device does not take it.
pub fn activate(
    device: &mut dyn VirtioDevice,
    memory: &GuestMemory,
    features: u64,
    size: u16,
) -> io::Result<Option<Box<dyn Worker>>> {
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
        let kick = EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)?;
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
        interrupt,
        features,
    };
    Ok(device.activate(activation).ok())
}
