//! What devices reach the machine by, and what must be true of how they do it.

use std::fs::File;
use std::io;
use std::sync::Mutex;

use rustix::fs::{MemfdFlags, memfd_create};
use vm_memory::GuestAddress;
use vmm_sys_util::eventfd::EventFd;
use wherry_devices::interrupt::Doorbells;
use wherry_devices::memory::{GuestMemory, Ram};
use wherry_devices::pci::Windows;

pub fn memory(bytes: usize) -> GuestMemory {
    let ram = Ram::from_ranges(&[(GuestAddress(0), bytes)]);
    GuestMemory::new(ram.expect("memory"))
}

pub fn file(bytes: u64) -> File {
    let file = File::from(memfd_create("fuzz", MemfdFlags::CLOEXEC).expect("a file"));
    file.set_len(bytes).expect("room");
    file
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
