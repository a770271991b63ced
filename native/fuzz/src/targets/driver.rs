//! What the queues of all devices have in common: a driver that writes to its memory and notifies, as the bytes say.

use vm_memory::{Bytes as _, GuestAddress, GuestAddressSpace};
use wherry_devices::memory::GuestMemory;
use wherry_devices::virtio::fuzzing::{Running, activate};
use wherry_devices::virtio::{F_EVENT_IDX, F_INDIRECT_DESC, F_VERSION_1, VirtioDevice};

use super::seams::memory;
use crate::Bytes;

const MEMORY: usize = 64 << 10;

pub struct Driver {
    pub device: Running,
    /// What it has accepted.
    pub features: u64,
    memory: GuestMemory,
}

impl Driver {
    /// Accepts what it wants of the device's features, or none of them. `None` where the device does not take its queues.
    pub fn start(
        device: &mut dyn VirtioDevice,
        wanted: u64,
        bytes: &mut Bytes<'_>,
    ) -> Option<Driver> {
        let choice = bytes.byte();
        let mut features = F_VERSION_1 | F_INDIRECT_DESC;
        if choice & 0x80 != 0 {
            features |= F_EVENT_IDX;
        }
        if choice & 0x40 == 0 {
            features |= device.features() & wanted;
        }
        let memory = memory(MEMORY);
        let size = 1 << (choice & 7);
        let device = activate(device, &memory, features, size).expect("events")?;
        Some(Driver {
            device,
            features,
            memory,
        })
    }

    /// An address, a length, that many bytes, which it writes there. A length of 0 notifies the queue whose number is in the
    /// address.
    pub fn step(&mut self, bytes: &mut Bytes<'_>) {
        let at = u16::from_le_bytes([bytes.byte(), bytes.byte()]);
        let content = bytes.short();
        if content.is_empty() {
            let queues = self.device.queues();
            self.device.notified(usize::from(at) % queues);
        } else {
            // What reaches beyond the end is cut.
            let _ = self
                .memory
                .memory()
                .write(content, GuestAddress(u64::from(at)));
        }
    }

    /// Notifies every queue once more, and the machine pauses.
    pub fn finish(&mut self) {
        (0..self.device.queues()).for_each(|queue| self.device.notified(queue));
        self.device.pause();
    }
}

/// Steps until there are no more bytes.
pub fn serve(device: &mut dyn VirtioDevice, bytes: &mut Bytes<'_>) {
    let Some(mut driver) = Driver::start(device, u64::MAX, bytes) else {
        return;
    };
    while !bytes.is_empty() {
        driver.step(bytes);
    }
    driver.finish();
}
