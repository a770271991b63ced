//! Where things are: in the BAR, and in the configuration space that says so.

use crate::pci::config::ConfigSpace;
use crate::pci::msix::{self, Msix};
use crate::pci::root_port::{EXPRESS, endpoint};

pub const BAR_SIZE: u64 = 0x8000;
const COMMON: u64 = 0x0000;
const ISR: u64 = 0x1000;
const DEVICE: u64 = 0x2000;
pub const NOTIFY: u64 = 0x3000;
const TABLE: u64 = 0x4000;
const PENDING: u64 = 0x5000;
const PART_SIZE: u64 = 0x1000;
/// Bytes from one queue's doorbell to the next one's.
pub const NOTIFY_STRIDE: u64 = 4;

const VENDOR_SPECIFIC: u8 = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Common,
    Isr,
    Device,
    Notify,
    Table,
    Pending,
}

/// The part of the BAR that an offset lies in, and the offset there.
pub fn part(offset: u64) -> Option<(Part, u64)> {
    let within = offset % PART_SIZE;
    let part = match offset.wrapping_sub(within) {
        COMMON => Part::Common,
        ISR => Part::Isr,
        DEVICE => Part::Device,
        NOTIFY => Part::Notify,
        TABLE => Part::Table,
        PENDING => Part::Pending,
        _ => return None,
    };
    Some((part, within))
}

/// Places in the configuration space.
pub struct Places {
    /// The capability that is a window into the BAR, for firmware that has not mapped it.
    pub window: u16,
    pub window_data: u16,
    pub msix_control: u16,
}

pub fn fill(config: &mut ConfigSpace, msix: &Msix) -> Option<Places> {
    config.add_bar(BAR_SIZE);
    config.add_capability(EXPRESS, &endpoint())?;
    let table = u32::try_from(TABLE).ok()?;
    let pending = u32::try_from(PENDING).ok()?;
    let at = config.add_capability(msix::CAPABILITY, &msix.capability(table, pending))?;
    let msix_control = at.checked_add(3)?;
    config.let_write(msix_control, &[Msix::writable()]);
    structure(config, 1, COMMON, &[])?;
    let stride = u32::try_from(NOTIFY_STRIDE).ok()?;
    structure(config, 2, NOTIFY, &stride.to_le_bytes())?;
    structure(config, 3, ISR, &[])?;
    structure(config, 4, DEVICE, &[])?;
    let window = structure(config, 5, COMMON, &[0; 4])?;
    // BAR, offset, length, data.
    config.let_write(window.checked_add(4)?, &[0xff]);
    config.let_write(window.checked_add(8)?, &[0xff; 12]);
    Some(Places {
        window,
        window_data: window.checked_add(16)?,
        msix_control,
    })
}

/// A capability that names a part of BAR 0 (virtio 1.2, 4.1.4).
fn structure(config: &mut ConfigSpace, kind: u8, offset: u64, more: &[u8]) -> Option<u16> {
    let length = 16u8.checked_add(u8::try_from(more.len()).ok()?)?;
    let mut body = vec![length, kind, 0, 0, 0, 0];
    body.extend(u32::try_from(offset).ok()?.to_le_bytes());
    body.extend(u32::try_from(PART_SIZE).ok()?.to_le_bytes());
    body.extend(more);
    config.add_capability(VENDOR_SPECIFIC, &body)
}
