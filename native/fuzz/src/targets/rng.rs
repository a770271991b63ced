//! The queue of virtio-rng, and what all queues have in common.

use vm_memory::{Bytes as _, GuestAddress, GuestAddressSpace};
use wherry_devices::virtio::fuzzing::activate;
use wherry_devices::virtio::rng::Rng;
use wherry_devices::virtio::{F_EVENT_IDX, F_INDIRECT_DESC, F_VERSION_1, VirtioDevice};

use super::seams::memory;
use crate::Bytes;

const MEMORY: usize = 64 << 10;
/// Of all devices: what a driver may accept besides the transport's features.
const OWN_FEATURES: u64 = 0xff_ffff;

pub fn run(bytes: &[u8]) {
    serve(&mut Rng::default(), &mut Bytes::new(bytes));
}

/// A driver that writes to its memory and notifies, as the bytes say: an address, a length, that many bytes, again and again. A
/// length of 0 notifies the queue whose number is in the address.
pub fn serve(device: &mut dyn VirtioDevice, bytes: &mut Bytes<'_>) {
    let choice = bytes.byte();
    let mut features = F_VERSION_1 | F_INDIRECT_DESC;
    if choice & 0x80 != 0 {
        features |= F_EVENT_IDX;
    }
    if choice & 0x40 == 0 {
        features |= device.features() & OWN_FEATURES;
    }
    let memory = memory(MEMORY);
    let size = 1 << (choice & 7);
    let worker = activate(device, &memory, features, size).expect("events");
    let Some(mut worker) = worker else { return };
    let queues = worker.queues().len();
    while !bytes.is_empty() {
        let at = u16::from_le_bytes([bytes.byte(), bytes.byte()]);
        let content = bytes.short();
        if content.is_empty() {
            worker.notified(usize::from(at) % queues);
        } else {
            // What reaches beyond the end is cut.
            let _ = memory.memory().write(content, GuestAddress(u64::from(at)));
        }
    }
    (0..queues).for_each(|queue| worker.notified(queue));
    worker.drain();
}
