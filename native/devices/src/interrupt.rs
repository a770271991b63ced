//! How devices reach the guest's interrupt controllers, as seams that KVM implements.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vmm_sys_util::eventfd::EventFd;

/// What a message-signalled interrupt writes, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MsiMessage {
    pub address: u64,
    pub data: u32,
}

/// A wire into the I/O APIC.
pub trait InterruptLine: Send + Sync {
    fn set_level(&self, high: bool);

    /// One rising edge.
    fn pulse(&self) {
        self.set_level(true);
        self.set_level(false);
    }
}

/// One vector of a device's MSI-X table. Raising it is one write to its eventfd, which the kernel turns into an interrupt while
/// the vector is connected and remembers while it is not: the eventfd's count is the vector's pending bit.
pub trait MsiVector: Send + Sync {
    fn event(&self) -> &EventFd;
    /// From now on the event raises this interrupt; one that is pending is raised at once.
    fn connect(&self, message: MsiMessage) -> io::Result<()>;
    fn disconnect(&self) -> io::Result<()>;
}

/// Where devices get their vectors from.
pub trait MsiVectors: Send + Sync {
    fn allocate(&self) -> io::Result<Arc<dyn MsiVector>>;
}

/// What the I/O APIC speaks to: the local APICs.
pub trait LocalApics: Send + Sync {
    fn deliver(&self, message: MsiMessage);
    /// Tells KVM what a pin's entry says, so that it reports when the guest has served a level-triggered interrupt.
    fn pin_changed(&self, pin: u8, message: Option<MsiMessage>);
}

/// Writes by a guest that wake a device's thread without an exit to this process.
pub trait Doorbells: Send + Sync {
    /// Any write to this address counts up the event.
    fn attach(&self, address: u64, event: &EventFd) -> io::Result<()>;
    fn detach(&self, address: u64, event: &EventFd) -> io::Result<()>;
}
