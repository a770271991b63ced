//! For fuzz targets and tests: what KVM gives, as something that remembers, and that nobody may use in a wrong order.

use std::io;
use std::sync::{Arc, Mutex};

use vmm_sys_util::eventfd::EventFd;

use crate::bus::lock;
use crate::interrupt::{MsiMessage, MsiVector, MsiVectors};

pub struct Vector {
    event: EventFd,
    connected: Mutex<Option<MsiMessage>>,
}

impl Vector {
    /// How often it was raised since the last call.
    pub fn raised(&self) -> u64 {
        self.event.read().unwrap_or(0)
    }

    pub fn connected(&self) -> Option<MsiMessage> {
        *lock(&self.connected)
    }
}

impl MsiVector for Vector {
    fn event(&self) -> &EventFd {
        &self.event
    }

    fn connect(&self, message: MsiMessage) -> io::Result<()> {
        *lock(&self.connected) = Some(message);
        Ok(())
    }

    fn disconnect(&self) -> io::Result<()> {
        let before = lock(&self.connected).take();
        assert!(before.is_some(), "what is not connected");
        Ok(())
    }
}

#[derive(Default)]
pub struct Vectors(Mutex<Vec<Arc<Vector>>>);

impl Vectors {
    /// All that were allocated, in that order.
    pub fn all(&self) -> Vec<Arc<Vector>> {
        lock(&self.0).clone()
    }
}

impl MsiVectors for Vectors {
    fn allocate(&self) -> io::Result<Arc<dyn MsiVector>> {
        let vector = Arc::new(Vector {
            event: EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)?,
            connected: Mutex::new(None),
        });
        lock(&self.0).push(vector.clone());
        Ok(vector)
    }
}
