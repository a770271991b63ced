//! What devices reach the machine by, and what must be true of how they do it.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex};

use rustix::fs::{MemfdFlags, memfd_create};
use vm_memory::GuestAddress;
use vmm_sys_util::eventfd::EventFd;
use wherry_devices::interrupt::{Doorbells, MsiMessage, MsiVector, MsiVectors};
use wherry_devices::memory::{GuestMemory, Ram};
use wherry_devices::pci::Windows;

const EVENT: i32 = 0o4000 | 0o2_000_000; // non-blocking, closed on exec

pub fn memory(bytes: usize) -> GuestMemory {
    let ram = Ram::from_ranges(&[(GuestAddress(0), bytes)]);
    GuestMemory::new(ram.expect("memory"))
}

pub fn file(bytes: u64) -> File {
    let file = File::from(memfd_create("fuzz", MemfdFlags::CLOEXEC).expect("a file"));
    file.set_len(bytes).expect("room");
    file
}

pub struct Vector {
    event: EventFd,
    pub connected: Mutex<Option<MsiMessage>>,
}

impl MsiVector for Vector {
    fn event(&self) -> &EventFd {
        &self.event
    }

    fn connect(&self, message: MsiMessage) -> io::Result<()> {
        *self.connected.lock().expect("whole") = Some(message);
        Ok(())
    }

    fn disconnect(&self) -> io::Result<()> {
        let before = self.connected.lock().expect("whole").take();
        assert!(before.is_some(), "what is not connected");
        Ok(())
    }
}

#[derive(Default)]
pub struct Vectors(pub Mutex<Vec<Arc<Vector>>>);

impl MsiVectors for Vectors {
    fn allocate(&self) -> io::Result<Arc<dyn MsiVector>> {
        let vector = Arc::new(Vector {
            event: EventFd::new(EVENT)?,
            connected: Mutex::new(None),
        });
        self.0.lock().expect("whole").push(vector.clone());
        Ok(vector)
    }
}

/// Hang where BARs may be, each once.
pub struct Bells {
    pub windows: Windows,
    pub hung: Mutex<Vec<u64>>,
}

impl Doorbells for Bells {
    fn attach(&self, address: u64, _: &EventFd) -> io::Result<()> {
        assert!(self.windows.hold(address, 4), "{address:#x}");
        let mut hung = self.hung.lock().expect("whole");
        if hung.contains(&address) {
            // As KVM does where two devices lie over each other.
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        hung.push(address);
        Ok(())
    }

    fn detach(&self, address: u64, _: &EventFd) -> io::Result<()> {
        self.hung
            .lock()
            .expect("whole")
            .retain(|known| *known != address);
        Ok(())
    }
}
