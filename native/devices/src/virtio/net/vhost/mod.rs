//! The kernel's vhost-net carries the frames: it is given rings, memory, doorbells and interrupts, and this process looks on.
//!
//! A queue's interrupt is its vector's own eventfd, so that masking works as for any other device: while the vector is masked
//! nothing turns the event into an interrupt, and its count is the pending bit. It is the vector that the queue had when the driver
//! was ready.

mod calls;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

pub use calls::REQUESTS;
use calls::{Call, Kernel, MemoryRegion};
use vm_memory::{GuestAddress, GuestAddressSpace, GuestMemoryBackend, GuestMemoryRegion};
use vmm_sys_util::eventfd::EventFd;

use super::link::Link;
use super::wire::Wire;
use super::{RECEIVE, TRANSMIT, feature};
use crate::event::as_fd;
use crate::memory::{GuestMemory, Ram};
use crate::virtio::{
    F_EVENT_IDX, F_INDIRECT_DESC, F_VERSION_1, Queue, Readiness, Source, VirtioInterrupt, Worker,
};

/// What it must know of, for the guest may have accepted it. The rest of what a guest accepts is the tap's.
const NEEDED: u64 = F_VERSION_1 | F_EVENT_IDX | F_INDIRECT_DESC | feature::MRG_RXBUF;

const LINK: u32 = 0;
const ERROR: u32 = 1;
const NO_BACKEND: RawFd = -1;

/// An open `/dev/vhost-net` that is this process's.
pub struct Vhost {
    kernel: Box<dyn Kernel>,
    /// Counted up when the kernel finds nonsense in a ring. Made now: whoever starts a device may make no descriptors, nor close
    /// any.
    error: EventFd,
}

impl Vhost {
    pub fn new(fd: OwnedFd) -> io::Result<Vhost> {
        Vhost::with(Box::new(calls::Device(fd)))
    }

    fn with(kernel: Box<dyn Kernel>) -> io::Result<Vhost> {
        let missing = NEEDED & !kernel.features()?;
        if missing != 0 {
            let text = format!("this vhost-net lacks the features {missing:#x}");
            return Err(io::Error::other(text));
        }
        // Its thread is made now, while threads may be made.
        kernel.tell(&Call::Owner)?;
        let error = EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)?;
        Ok(Vhost { kernel, error })
    }
}

pub struct Parts {
    pub vhost: Arc<Vhost>,
    pub queues: [Queue; 2],
    pub wire: Arc<dyn Wire>,
    pub link: Link,
    pub memory: GuestMemory,
    pub interrupt: VirtioInterrupt,
    pub features: u64,
}

pub struct Carrier {
    parts: Parts,
    running: bool,
    /// Stopped until the driver resets the device.
    broken: bool,
}

impl Carrier {
    pub fn new(parts: Parts) -> Carrier {
        // Of the driver before.
        let _ = parts.vhost.error.read();
        Carrier {
            parts,
            running: false,
            broken: false,
        }
    }

    /// Runs it when there is a link, else not.
    fn follow_link(&mut self) {
        let wanted = self.parts.link.is_up() && !self.broken;
        if wanted == self.running {
            return;
        }
        let done = if wanted { self.start() } else { self.stop() };
        if done.is_err() {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.broken = true;
        // Refused only for what was never set.
        let _ = self.stop();
        self.parts.interrupt.needs_reset();
    }

    fn start(&mut self) -> io::Result<()> {
        let Parts {
            vhost,
            queues,
            wire,
            memory,
            features,
            ..
        } = &self.parts;
        let ram = memory.memory();
        let kernel = &vhost.kernel;
        kernel.tell(&Call::Features(features & NEEDED))?;
        kernel.tell(&Call::Memory(regions(&ram)))?;
        for queue in queues {
            for call in set_up(queue, &ram, vhost.error.as_raw_fd())? {
                kernel.tell(&call)?;
            }
        }
        // From the first on there is something to stop.
        self.running = true;
        for queue in queues {
            kernel.tell(&Call::Backend(index(queue), wire.fd().as_raw_fd()))?;
            // What was notified while nobody listened.
            queue.notify_myself();
        }
        Ok(())
    }

    /// Returns when the kernel touches the guest's memory no more.
    fn stop(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.running) {
            return Ok(());
        }
        let kernel = &self.parts.vhost.kernel;
        let ram = self.parts.memory.memory();
        for queue in &mut self.parts.queues {
            kernel.tell(&Call::Backend(index(queue), NO_BACKEND))?;
            let next = kernel.position(index(queue))?;
            queue.moved(&ram, next);
        }
        Ok(())
    }
}

impl Worker for Carrier {
    /// The kernel hears them.
    fn queues(&self) -> Vec<&Queue> {
        Vec::new()
    }

    fn begin(&mut self) {
        // A tap that refuses gives frames that need nothing of the guest.
        let _ = self.parts.wire.set_features(self.parts.features);
        self.follow_link();
    }

    fn notified(&mut self, _: usize) {}

    fn sources(&self) -> Vec<Source<'_>> {
        let source = |token, fd| Source {
            token,
            fd,
            readiness: Readiness::Readable,
        };
        let mut sources = vec![source(LINK, self.parts.link.changed())];
        if !self.broken {
            sources.push(source(ERROR, as_fd(&self.parts.vhost.error)));
        }
        sources
    }

    fn ready(&mut self, token: u32) {
        match token {
            LINK => {
                self.parts.link.heard();
                if self.parts.link.is_up() && !self.running {
                    super::discard(self.parts.wire.as_ref());
                }
                self.follow_link();
            }
            ERROR => {
                let _ = self.parts.vhost.error.read();
                self.give_up();
            }
            _ => {}
        }
    }

    fn drain(&mut self) {
        // Refused only for what was never set.
        let _ = self.stop();
    }
}

fn index(queue: &Queue) -> u32 {
    // The kernel counts as virtio does.
    const { assert!(RECEIVE == 0 && TRANSMIT == 1) };
    u32::from(queue.index() != RECEIVE)
}

/// All of the guest's memory, by where this process has it.
fn regions(ram: &Ram) -> Vec<MemoryRegion> {
    ram.iter()
        .map(|region| MemoryRegion {
            guest: region.start_addr().0,
            size: region.len(),
            user: region.as_ptr() as u64,
            unused: 0,
        })
        .collect()
}

/// What the kernel is told of a queue before it may work, in this order.
fn set_up(queue: &Queue, ram: &Ram, error: RawFd) -> io::Result<[Call; 6]> {
    let ring = index(queue);
    let [descriptors, driver, device] = queue.parts();
    let user = |(start, length): (u64, usize)| {
        let slice = ram.get_slice(GuestAddress(start), length);
        let slice = slice.map_err(io::Error::other)?;
        Ok::<_, io::Error>(slice.ptr_guard().as_ptr() as u64)
    };
    let (next, _) = queue.positions();
    Ok([
        Call::Size(ring, queue.size()),
        Call::Position(ring, next),
        Call::Addresses {
            ring,
            descriptors: user(descriptors)?,
            available: user(driver)?,
            used: user(device)?,
        },
        Call::Interrupt(ring, queue.interrupt_event().unwrap_or(NO_BACKEND)),
        Call::Error(ring, error),
        Call::Doorbell(ring, queue.kick().as_raw_fd()),
    ])
}

#[cfg(test)]
mod tests;
