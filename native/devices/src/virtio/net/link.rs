//! Whether the card has a carrier: said by whoever controls the machine, read by the guest and by the device's thread.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use vmm_sys_util::eventfd::EventFd;

use crate::bus::lock;
use crate::event::as_fd;
use crate::virtio::VirtioInterrupt;

/// One end for each of them; cheap to clone.
#[derive(Clone)]
pub struct Link(Arc<Shared>);

struct Shared {
    up: AtomicBool,
    /// Counted up at each change, for the device's thread.
    changed: EventFd,
    /// How a driver that is ready hears of it. Nothing else is locked meanwhile.
    driver: Mutex<Option<VirtioInterrupt>>,
}

impl Link {
    pub fn new(up: bool) -> io::Result<Link> {
        Ok(Link(Arc::new(Shared {
            up: AtomicBool::new(up),
            changed: EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)?,
            driver: Mutex::new(None),
        })))
    }

    pub fn is_up(&self) -> bool {
        self.0.up.load(Ordering::Acquire)
    }

    pub fn set(&self, up: bool) {
        if self.0.up.swap(up, Ordering::AcqRel) == up {
            return;
        }
        let _ = self.0.changed.write(1);
        if let Some(driver) = &*lock(&self.0.driver) {
            driver.config_changed();
        }
    }

    pub(super) fn connect(&self, driver: VirtioInterrupt) {
        *lock(&self.0.driver) = Some(driver);
    }

    pub(super) fn disconnect(&self) {
        *lock(&self.0.driver) = None;
    }

    pub(super) fn changed(&self) -> BorrowedFd<'_> {
        as_fd(&self.0.changed)
    }

    pub(super) fn heard(&self) {
        let _ = self.0.changed.read();
    }
}
