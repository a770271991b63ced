//! A queue as workers see it: the ring's arithmetic is virtio-queue's, the manners are here.

use std::ops::Deref;
use std::sync::Arc;

use virtio_queue::{DescriptorChain, QueueOwnedT, QueueT};
use vm_memory::{GuestAddressSpace, GuestMemoryLoadGuard};
use vmm_sys_util::eventfd::EventFd;

use super::VirtioInterrupt;
use crate::memory::{GuestMemory, Ram};

/// A request: descriptors in the order that the driver gave them. Walking it ends after as many as the queue is long.
pub type Chain = DescriptorChain<GuestMemoryLoadGuard<Ram>>;

pub struct Queue {
    index: usize,
    ring: virtio_queue::Queue,
    memory: GuestMemory,
    interrupt: VirtioInterrupt,
    /// Counted up by the driver's notifications.
    kick: Arc<EventFd>,
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

    /// The request that `pop` gave last is the next one again; nothing of it was done.
    pub fn put_back(&mut self) {
        let next = self.ring.next_avail().wrapping_sub(1);
        self.ring.set_next_avail(next);
    }

    /// Gives a request back, in any order.
    pub fn complete(&mut self, head: u16, written: u32) {
        let memory = self.memory.memory();
        let done = self.ring.add_used(memory.deref(), head, written);
        self.sound(done);
    }

    /// Once after one or more `complete`.
    pub fn call_driver(&mut self) {
        if self.broken {
            return;
        }
        let memory = self.memory.memory();
        let wanted = self.ring.needs_notification(memory.deref());
        if self.sound(wanted) == Some(true) {
            self.interrupt.queue(self.index);
        }
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
