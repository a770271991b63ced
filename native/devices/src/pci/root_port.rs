//! A root port: a bridge to a bus with one slot, where one device is or may once come.

use super::PciFunction;
use super::config::{ConfigSpace, Identity};

const PRIMARY_BUS: u16 = 0x18;
const SECONDARY_BUS: u16 = 0x19;
const MEMORY_WINDOW: u16 = 0x20;
const PREFETCHABLE_WINDOW: u16 = 0x24;
const PREFETCHABLE_UPPER: u16 = 0x28;
const BRIDGE_CONTROL: u16 = 0x3e;

pub struct RootPort {
    /// 1 for the first.
    number: u8,
    occupied: bool,
    config: ConfigSpace,
}

impl RootPort {
    pub fn new(number: u8, occupied: bool) -> RootPort {
        RootPort {
            number,
            occupied,
            config: config(number, occupied),
        }
    }

    /// The bus behind it, as the guest has numbered it.
    pub fn secondary_bus(&self) -> u8 {
        self.config.u8(SECONDARY_BUS)
    }
}

impl PciFunction for RootPort {
    fn read_config(&mut self, offset: u16, data: &mut [u8]) {
        self.config.read(offset, data);
    }

    fn write_config(&mut self, offset: u16, data: &[u8]) {
        self.config.write(offset, data);
    }

    fn reset(&mut self) {
        self.config = config(self.number, self.occupied);
    }
}

fn config(number: u8, occupied: bool) -> ConfigSpace {
    const BRIDGE: u8 = 1;
    let mut config = ConfigSpace::new(&Identity {
        vendor: 0x1b36,
        device: 0x000c,
        revision: 0,
        class: [6, 4, 0],
        header: BRIDGE,
        subsystem: [0, 0],
    });
    // Numbered as firmware would; a guest may number otherwise.
    config.set(PRIMARY_BUS, &[0, number, number]);
    config.let_write(PRIMARY_BUS, &[0xff; 3]);
    config.let_write(MEMORY_WINDOW, &[0xf0, 0xff, 0xf0, 0xff]);
    // Both ends say that the window has 64 bits.
    config.set(PREFETCHABLE_WINDOW, &[1, 0, 1, 0]);
    config.let_write(PREFETCHABLE_WINDOW, &[0xf0, 0xff, 0xf0, 0xff]);
    config.let_write(PREFETCHABLE_UPPER, &[0xff; 8]);
    config.let_write(BRIDGE_CONTROL, &[0x03, 0]);
    // The room of an empty configuration space is enough for one capability.
    let _ = config.add_capability(EXPRESS, &express(number, occupied));
    config
}

pub const EXPRESS: u8 = 0x10;

/// The PCI Express capability, version 2, of a root port with a slot (PCI Express Base 5.0, 7.5.3).
fn express(number: u8, occupied: bool) -> [u8; 58] {
    const ROOT_PORT: u16 = 4;
    const SLOT: u16 = 1 << 8;
    const SPEED_2_5: u32 = 1;
    const WIDTH_1: u32 = 1 << 4;
    const LINK_ACTIVE_REPORTED: u32 = 1 << 20;
    const LINK_ACTIVE: u16 = 1 << 13;
    const PRESENT: u16 = 1 << 6;
    let mut body = [0; 58];
    // Offsets in the capability, whose first two bytes are not in the body.
    let mut set = |offset: usize, value: &[u8]| {
        for (to, from) in body.iter_mut().skip(offset.saturating_sub(2)).zip(value) {
            *to = *from;
        }
    };
    set(0x02, &(2 | ROOT_PORT << 4 | SLOT).to_le_bytes());
    set(
        0x0c,
        &(SPEED_2_5 | WIDTH_1 | LINK_ACTIVE_REPORTED | u32::from(number) << 24).to_le_bytes(),
    );
    let link = if occupied { 0x11 | LINK_ACTIVE } else { 0x11 };
    set(0x12, &link.to_le_bytes());
    set(0x14, &(u32::from(number) << 19).to_le_bytes());
    let slot = if occupied { PRESENT } else { 0 };
    set(0x1a, &slot.to_le_bytes());
    body
}

/// The same of an endpoint in such a slot.
pub fn endpoint() -> [u8; 58] {
    let mut body = [0; 58];
    for (to, from) in body.iter_mut().zip(2u16.to_le_bytes()) {
        *to = from;
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(port: &mut RootPort, offset: u16) -> u32 {
        let mut data = [0; 4];
        port.read_config(offset, &mut data);
        u32::from_le_bytes(data)
    }

    #[test]
    fn is_a_bridge_with_a_numbered_slot() {
        let mut port = RootPort::new(3, true);
        assert_eq!(word(&mut port, 8) >> 16, 0x0604);
        assert_eq!(word(&mut port, 0x0c) >> 16 & 0xff, 1);
        assert_eq!(port.secondary_bus(), 3);
        assert_eq!(word(&mut port, 0x34) & 0xff, 0x40);
        assert_eq!(word(&mut port, 0x40), 0x0142_0010);
        assert_eq!(word(&mut port, 0x54) >> 19, 3);
    }

    #[test]
    fn says_whether_something_is_in_the_slot() {
        for occupied in [false, true] {
            let mut port = RootPort::new(1, occupied);
            let slot_status = word(&mut port, 0x58) >> 16;
            assert_eq!(slot_status & 0x40 != 0, occupied);
            let link_status = word(&mut port, 0x50) >> 16;
            assert_eq!(link_status & 0x2000 != 0, occupied);
        }
    }

    #[test]
    fn the_guest_numbers_buses_and_a_reset_numbers_them_again() {
        let mut port = RootPort::new(2, false);
        port.write_config(PRIMARY_BUS, &[0, 9, 12, 0xff]);
        assert_eq!(port.secondary_bus(), 9);
        port.write_config(PREFETCHABLE_WINDOW, &[0; 4]);
        assert_eq!(word(&mut port, PREFETCHABLE_WINDOW), 0x0001_0001);
        port.reset();
        assert_eq!(port.secondary_bus(), 2);
    }
}
