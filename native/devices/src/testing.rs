//! Fakes of what KVM gives, and a driver.

pub mod dice;
pub mod driver;
pub mod independent;

use std::io;
use std::sync::{Arc, Mutex};

use vmm_sys_util::eventfd::EventFd;

use crate::bus::lock;
pub use crate::fuzzing::{Vector, Vectors};
use crate::interrupt::{Doorbells, InterruptLine, LocalApics, MsiMessage};

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

impl Vectors {
    pub fn get(&self, index: usize) -> Arc<Vector> {
        self.all()[index].clone()
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
