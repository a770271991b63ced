//! The common configuration (virtio 1.2, 4.1.4.3): fields of fixed widths, which are read and written whole. Fields of 64 bits
//! may come in halves.

use virtio_queue::QueueT;
use vm_memory::GuestAddressSpace;

use super::{QueueRegisters, VirtioPci};
use crate::memory::GuestMemory;

const DEVICE_FEATURE_SELECT: u64 = 0x00;
const DEVICE_FEATURE: u64 = 0x04;
const DRIVER_FEATURE_SELECT: u64 = 0x08;
const DRIVER_FEATURE: u64 = 0x0c;
const CONFIG_VECTOR: u64 = 0x10;
const QUEUES: u64 = 0x12;
const STATUS: u64 = 0x14;
const GENERATION: u64 = 0x15;
const QUEUE_SELECT: u64 = 0x16;
const QUEUE_SIZE: u64 = 0x18;
const QUEUE_VECTOR: u64 = 0x1a;
const QUEUE_ENABLE: u64 = 0x1c;
const QUEUE_NOTIFY_OFFSET: u64 = 0x1e;
const QUEUE_DESCRIPTORS: u64 = 0x20;
const QUEUE_DRIVER: u64 = 0x28;
const QUEUE_DEVICE: u64 = 0x30;
const END: u64 = 0x38;

const STATUS_FEATURES_OK: u8 = 8;
const STATUS_DRIVER_OK: u8 = 4;

impl VirtioPci {
    pub(super) fn read_common(&self, offset: u64, data: &mut [u8]) {
        let queue = self.registers.queues.get(self.selected());
        let of_queue = |field: fn(&QueueRegisters) -> u64| queue.map_or(0, field);
        let (start, width, value) = match offset {
            DEVICE_FEATURE_SELECT => (offset, 4, u64::from(self.registers.device_feature_select)),
            DEVICE_FEATURE => {
                let select = self.registers.device_feature_select;
                (offset, 4, u64::from(half(self.features(), select)))
            }
            DRIVER_FEATURE_SELECT => (offset, 4, u64::from(self.registers.driver_feature_select)),
            DRIVER_FEATURE => {
                let select = self.registers.driver_feature_select;
                let accepted = half(self.registers.driver_features, select);
                (offset, 4, u64::from(accepted))
            }
            CONFIG_VECTOR => (offset, 2, u64::from(self.interrupt.config_vector())),
            QUEUES => (offset, 2, self.registers.queues.len() as u64),
            STATUS => (offset, 1, u64::from(self.interrupt.status())),
            GENERATION => (offset, 1, u64::from(self.interrupt.generation())),
            QUEUE_SELECT => (offset, 2, u64::from(self.registers.queue_select)),
            QUEUE_SIZE => (offset, 2, of_queue(|it| u64::from(it.size))),
            QUEUE_VECTOR => {
                let vector = self.interrupt.queue_vector(self.selected());
                (offset, 2, u64::from(vector))
            }
            QUEUE_ENABLE => (offset, 2, of_queue(|it| u64::from(it.enabled))),
            QUEUE_NOTIFY_OFFSET => (offset, 2, u64::from(self.registers.queue_select)),
            QUEUE_DESCRIPTORS..QUEUE_DRIVER => {
                (QUEUE_DESCRIPTORS, 8, of_queue(|it| it.descriptors))
            }
            QUEUE_DRIVER..QUEUE_DEVICE => (QUEUE_DRIVER, 8, of_queue(|it| it.driver)),
            QUEUE_DEVICE..END => (QUEUE_DEVICE, 8, of_queue(|it| it.device)),
            _ => return,
        };
        let skipped = usize::try_from(offset.saturating_sub(start)).unwrap_or(0);
        let bytes = value.to_le_bytes();
        let field = bytes.iter().take(width).skip(skipped);
        for (to, from) in data.iter_mut().zip(field) {
            *to = *from;
        }
    }

    pub(super) fn write_common(&mut self, offset: u64, data: &[u8]) {
        match (offset, data) {
            (STATUS, &[status]) => self.set_status(status),
            (_, &[a, b]) => self.write_word(offset, u16::from_le_bytes([a, b])),
            (_, &[a, b, c, d]) => self.write_double(offset, u32::from_le_bytes([a, b, c, d])),
            (_, &[a, b, c, d, e, f, g, h]) if offset.is_multiple_of(8) => {
                self.write_double(offset, u32::from_le_bytes([a, b, c, d]));
                self.write_double(offset.saturating_add(4), u32::from_le_bytes([e, f, g, h]));
            }
            _ => {}
        }
    }

    fn write_word(&mut self, offset: u64, value: u16) {
        let selected = self.selected();
        match offset {
            CONFIG_VECTOR => self.interrupt.set_config_vector(value),
            QUEUE_SELECT => self.registers.queue_select = value,
            QUEUE_VECTOR => self.interrupt.set_queue_vector(selected, value),
            QUEUE_SIZE => {
                let max = self.device.queue_sizes().get(selected).copied();
                let fits = value.is_power_of_two() && Some(value) <= max;
                if let Some(queue) = self.settable_queue().filter(|_| fits) {
                    queue.size = value;
                }
            }
            // A driver enables queues; only a reset disables them.
            QUEUE_ENABLE if value == 1 => {
                if let Some(queue) = self.settable_queue() {
                    queue.enabled = true;
                }
            }
            _ => {}
        }
    }

    fn write_double(&mut self, offset: u64, value: u32) {
        match offset {
            DEVICE_FEATURE_SELECT => self.registers.device_feature_select = value,
            DRIVER_FEATURE_SELECT => self.registers.driver_feature_select = value,
            DRIVER_FEATURE if self.interrupt.status() & STATUS_FEATURES_OK == 0 => {
                let select = self.registers.driver_feature_select;
                set_half(&mut self.registers.driver_features, select, value);
            }
            QUEUE_DESCRIPTORS..END => {
                let Some(queue) = self.settable_queue() else {
                    return;
                };
                let (field, upper) = match offset {
                    0x20 => (&mut queue.descriptors, 0),
                    0x24 => (&mut queue.descriptors, 1),
                    0x28 => (&mut queue.driver, 0),
                    0x2c => (&mut queue.driver, 1),
                    0x30 => (&mut queue.device, 0),
                    0x34 => (&mut queue.device, 1),
                    _ => return,
                };
                set_half(field, upper, value);
            }
            _ => {}
        }
    }

    fn selected(&self) -> usize {
        usize::from(self.registers.queue_select)
    }

    /// The selected queue, while the driver may still change it.
    fn settable_queue(&mut self) -> Option<&mut QueueRegisters> {
        let selected = self.selected();
        let live = self.interrupt.status() & STATUS_DRIVER_OK != 0;
        let queue = self.registers.queues.get_mut(selected);
        queue.filter(|queue| !live && !queue.enabled)
    }
}

fn half(value: u64, select: u32) -> u32 {
    match select {
        0 => value as u32,
        1 => (value >> 32) as u32,
        _ => 0,
    }
}

fn set_half(value: &mut u64, select: u32, half: u32) {
    match select {
        0 => *value = *value >> 32 << 32 | u64::from(half),
        1 => *value = *value & 0xffff_ffff | u64::from(half) << 32,
        _ => {}
    }
}

/// The ring that a driver has set up, if its parts lie in memory as they must.
pub(super) fn ring(
    set: &QueueRegisters,
    max: u16,
    event_idx: bool,
    memory: &GuestMemory,
) -> Option<virtio_queue::Queue> {
    let mut ring = virtio_queue::Queue::new(max).ok()?;
    ring.try_set_size(set.size).ok()?;
    let at = vm_memory::GuestAddress;
    ring.try_set_desc_table_address(at(set.descriptors)).ok()?;
    ring.try_set_avail_ring_address(at(set.driver)).ok()?;
    ring.try_set_used_ring_address(at(set.device)).ok()?;
    ring.set_event_idx(event_idx);
    ring.set_ready(true);
    ring.is_valid(&*memory.memory()).then_some(ring)
}
