//! Fakes of what KVM gives, and a driver.

pub mod dice;
pub mod driver;
pub mod independent;

use std::io;
use std::sync::{Arc, Mutex};

use vmm_sys_util::eventfd::EventFd;

use crate::bus::lock;
use crate::interrupt::{Doorbells, InterruptLine, LocalApics, MsiMessage, MsiVector, MsiVectors};

/// A line that remembers its levels.
#[derive(Default)]
pub struct Line(Mutex<Vec<bool>>);

impl Line {
    pub fn taken(&self) -> Vec<bool> {
        std::mem::take(&mut lock(&self.0))
    }
}

impl InterruptLine for Line {
    fn set_level(&self, high: bool) {
        lock(&self.0).push(high);
    }
}

/// Local APICs that remember what came.
#[derive(Default)]
pub struct Apics {
    pub delivered: Mutex<Vec<MsiMessage>>,
    pub pins: Mutex<Vec<(u8, Option<MsiMessage>)>>,
}

impl LocalApics for Apics {
    fn deliver(&self, message: MsiMessage) {
        lock(&self.delivered).push(message);
    }

    fn pin_changed(&self, pin: u8, message: Option<MsiMessage>) {
        lock(&self.pins).push((pin, message));
    }
}

pub struct Vector {
    event: EventFd,
    pub connected: Mutex<Option<MsiMessage>>,
}

impl Vector {
    /// How often it was raised since the last call.
    pub fn raised(&self) -> u64 {
        self.event.read().unwrap_or(0)
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
        *lock(&self.connected) = None;
        Ok(())
    }
}

#[derive(Default)]
pub struct Vectors(pub Mutex<Vec<Arc<Vector>>>);

impl Vectors {
    pub fn get(&self, index: usize) -> Arc<Vector> {
        lock(&self.0)[index].clone()
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

/// Doorbells that remember where they hang.
#[derive(Default)]
pub struct Bells(pub Mutex<Vec<u64>>);

impl Doorbells for Bells {
    fn attach(&self, address: u64, _: &EventFd) -> io::Result<()> {
        lock(&self.0).push(address);
        Ok(())
    }

    fn detach(&self, address: u64, _: &EventFd) -> io::Result<()> {
        lock(&self.0).retain(|known| *known != address);
        Ok(())
    }
}
