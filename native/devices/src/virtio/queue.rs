//! A queue as workers see it: the ring's arithmetic is virtio-queue's, the manners are here.

use std::ops::Deref;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use virtio_queue::{DescriptorChain, QueueOwnedT, QueueT};
use vm_memory::{Bytes, GuestAddress, GuestAddressSpace, GuestMemoryLoadGuard};
use vmm_sys_util::eventfd::EventFd;

use super::VirtioInterrupt;
use crate::memory::{GuestMemory, Ram};

/// A request: descriptors in the order that the driver gave them. Walking it ends after as many as the queue is long.
pub type Chain = DescriptorChain<GuestMemoryLoadGuard<Ram>>;

/// Before the elements of both rings: flags and index.
const RING_HEADER: u64 = 4;
const DESCRIPTOR: usize = 16;
const AVAILABLE_ELEMENT: u64 = 2;
const USED_ELEMENT: u64 = 8;
/// Before and after the elements: flags, index and event.
const RING_EDGES: usize = 6;

pub struct Queue {
    index: usize,
    ring: virtio_queue::Queue,
    memory: GuestMemory,
    interrupt: VirtioInterrupt,
    /// Counted up by the driver's notifications.
    kick: Arc<EventFd>,
    /// The next place in the used ring when the driver was last asked whether it wants to hear.
    told: u16,
    /// The driver has written nonsense into its ring.
    broken: bool,
}

impl Queue {
    pub(super) fn new(
        index: usize,
        ring: virtio_queue::Queue,
        memory: GuestMemory,
        interrupt: VirtioInterrupt,
        kick: Arc<EventFd>,
    ) -> Queue {
        Queue {
            index,
            ring,
            memory,
            interrupt,
            kick,
            told: 0,
            broken: false,
        }
    }

    pub fn index(&self) -> usize {
        self.index
    }

    pub fn size(&self) -> u16 {
        self.ring.size()
    }

    /// Where the ring stands, which is all of it that is not in the guest's memory.
    pub fn positions(&self) -> (u16, u16) {
        (self.ring.next_avail(), self.ring.next_used())
    }

    /// Serves requests that can be done at once. `serve` returns how many bytes it wrote into the chain. Call it when the queue
    /// was notified; it calls the driver as the driver has asked to be called, and comes back after at most one ring's length:
    /// what is left over it notifies itself of, so that a stop is never kept waiting.
    pub fn serve(&mut self, mut serve: impl FnMut(&Ram, Chain) -> u32) {
        let memory = self.memory.memory();
        let mut budget = self.size();
        loop {
            self.silence();
            while let Some(chain) = self.pop() {
                let head = chain.head_index();
                let written = serve(&memory, chain);
                self.complete(head, written);
                budget = budget.saturating_sub(1);
                if budget == 0 {
                    self.call_driver();
                    return self.notify_myself();
                }
            }
            self.call_driver();
            if !self.listen() {
                return;
            }
        }
    }

    /// The next request. `None` when there is none, or when the ring is broken, of which the driver is told.
    pub fn pop(&mut self) -> Option<Chain> {
        if self.broken {
            return None;
        }
        let next = self.ring.iter(self.memory.memory()).map(|mut it| it.next());
        self.sound(next).flatten()
    }

    /// Gives a request back, in any order.
    pub fn complete(&mut self, head: u16, written: u32) {
        let memory = self.memory.memory();
        let done = self.ring.add_used(memory.deref(), head, written);
        self.sound(done);
    }

    /// Gives several requests back, of which the driver sees all or none: the parts of one frame.
    pub fn complete_together(&mut self, done: &[(u16, u32)]) {
        let Some(((head, written), others)) = done.split_last() else {
            return;
        };
        let memory = self.memory.memory();
        for (head, written) in others {
            let element = u64::from(*written) << 32 | u64::from(*head);
            let next = self.ring.next_used();
            let at = next.checked_rem(self.size()).map(|slot| {
                let offset = u64::from(slot).saturating_mul(USED_ELEMENT);
                offset.saturating_add(RING_HEADER)
            });
            let at = GuestAddress(self.ring.used_ring().saturating_add(at.unwrap_or(0)));
            let written = memory.write_obj(element.to_le(), at);
            self.sound(written.map_err(virtio_queue::Error::GuestMemory));
            self.ring.set_next_used(next.wrapping_add(1));
        }
        // Which tells the driver of all of them.
        self.complete(*head, *written);
    }

    /// The requests that `pop` gave last are the next ones again; nothing of them was done.
    pub fn put_back(&mut self, count: usize) {
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        let next = self.ring.next_avail().wrapping_sub(count);
        self.ring.set_next_avail(next);
    }

    /// Once after one or more `complete`.
    pub fn call_driver(&mut self) {
        if self.broken {
            return;
        }
        let wanted = self.wants_call();
        self.told = self.ring.next_used();
        if self.sound(wanted) == Some(true) {
            self.interrupt.queue(self.index);
        }
    }

    /// Whether the driver wants to hear of what was given back since the last time (virtio 1.2, 2.7.10). virtio-queue's own answer
    /// counts one request a call.
    fn wants_call(&self) -> Result<bool, virtio_queue::Error> {
        let memory = self.memory.memory();
        let used = self.ring.next_used();
        // What was given back is seen before the driver's wish is read.
        fence(Ordering::SeqCst);
        if !self.ring.event_idx_enabled() {
            return Ok(true);
        }
        let after_ring = u64::from(self.size()).saturating_mul(AVAILABLE_ELEMENT);
        let offset = after_ring.saturating_add(RING_HEADER);
        let at = GuestAddress(self.ring.avail_ring().saturating_add(offset));
        let event: u16 = memory
            .load(at, Ordering::Relaxed)
            .map_err(virtio_queue::Error::GuestMemory)?;
        let since = used.wrapping_sub(u16::from_le(event)).wrapping_sub(1);
        Ok(since < used.wrapping_sub(self.told))
    }

    /// No notifications for now: the worker looks by itself.
    pub fn silence(&mut self) {
        let memory = self.memory.memory();
        let done = self.ring.disable_notification(memory.deref());
        self.sound(done);
    }

    /// Notifications again. True when requests have come meanwhile, for which there will be none.
    pub fn listen(&mut self) -> bool {
        if self.broken {
            return false;
        }
        let memory = self.memory.memory();
        let more = self.ring.enable_notification(memory.deref());
        self.sound(more).unwrap_or(false)
    }

    /// The worker is called for this queue again.
    pub fn notify_myself(&self) {
        let _ = self.kick.write(1);
    }

    /// Where the driver has put descriptors, its ring and the device's, and how long each is.
    pub(super) fn parts(&self) -> [(u64, usize); 3] {
        let size = usize::from(self.size());
        let ring = |element: u64| {
            let elements = size.saturating_mul(element as usize);
            elements.saturating_add(RING_EDGES)
        };
        [
            (self.ring.desc_table(), size.saturating_mul(DESCRIPTOR)),
            (self.ring.avail_ring(), ring(AVAILABLE_ELEMENT)),
            (self.ring.used_ring(), ring(USED_ELEMENT)),
        ]
    }

    /// What raises its interrupt, for a kernel that serves the queue by itself; `None` where the driver does not want to hear.
    pub(super) fn interrupt_event(&self) -> Option<RawFd> {
        let event = self.interrupt.queue_event(self.index)?;
        Some(event.as_raw_fd())
    }

    /// The kernel has served the queue, and would have gone on with this request.
    pub(super) fn moved(&mut self, memory: &Ram, next_available: u16) {
        let used = self.ring.used_idx(memory, Ordering::Acquire);
        if let Some(used) = self.sound(used) {
            self.ring.set_next_used(used.0);
            self.told = used.0;
        }
        self.ring.set_next_avail(next_available);
    }

    pub(super) fn kick(&self) -> &Arc<EventFd> {
        &self.kick
    }

    fn sound<T>(&mut self, result: Result<T, virtio_queue::Error>) -> Option<T> {
        if result.is_err() && !self.broken {
            self.broken = true;
            self.interrupt.needs_reset();
        }
        result.ok()
    }
}
