//! A function's configuration space: bytes, and which of their bits a guest may write.

use serde::{Deserialize, Serialize};

const SIZE: usize = 256;
const FIRST_CAPABILITY: usize = 0x40;

pub const VENDOR: u16 = 0x00;
pub const COMMAND: u16 = 0x04;
const STATUS: u16 = 0x06;
const REVISION: u16 = 0x08;
const HEADER_TYPE: u16 = 0x0e;
pub const BAR_0: u16 = 0x10;
const SUBSYSTEM: u16 = 0x2c;
const CAPABILITIES: u16 = 0x34;
const INTERRUPT_LINE: u16 = 0x3c;

/// The bits of the command register.
pub const MEMORY_ENABLED: u16 = 1 << 1;
pub const BUS_MASTER: u16 = 1 << 2;
const INTX_DISABLED: u16 = 1 << 10;

const HAS_CAPABILITIES: u16 = 1 << 4;

pub struct Identity {
    pub vendor: u16,
    pub device: u16,
    pub revision: u8,
    /// Class, subclass, programming interface.
    pub class: [u8; 3],
    pub header: u8,
    pub subsystem: [u16; 2],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigSpace {
    bytes: Vec<u8>,
    writable: Vec<u8>,
    next_capability: usize,
    last_capability: u16,
}

impl ConfigSpace {
    pub fn new(identity: &Identity) -> ConfigSpace {
        let mut space = ConfigSpace {
            bytes: vec![0; SIZE],
            writable: vec![0; SIZE],
            next_capability: FIRST_CAPABILITY,
            last_capability: CAPABILITIES,
        };
        space.set_u16(VENDOR, identity.vendor);
        space.set_u16(0x02, identity.device);
        let [class, subclass, interface] = identity.class;
        space.set(REVISION, &[identity.revision, interface, subclass, class]);
        space.set(HEADER_TYPE, &[identity.header]);
        if identity.header == 0 {
            let [vendor, device] = identity.subsystem;
            space.set_u16(SUBSYSTEM, vendor);
            space.set_u16(0x2e, device);
        }
        let command = MEMORY_ENABLED | BUS_MASTER | INTX_DISABLED;
        space.let_write(COMMAND, &command.to_le_bytes());
        space.let_write(INTERRUPT_LINE, &[0xff]);
        space
    }

    pub fn read(&self, offset: u16, data: &mut [u8]) {
        for (index, byte) in data.iter_mut().enumerate() {
            let at = usize::from(offset).saturating_add(index);
            // The extended space is empty: its first capability is none.
            *byte = self.bytes.get(at).copied().unwrap_or(0);
        }
    }

    /// By the guest: only the bits that it may.
    pub fn write(&mut self, offset: u16, data: &[u8]) {
        for (index, new) in data.iter().enumerate() {
            let at = usize::from(offset).saturating_add(index);
            if let (Some(byte), Some(mask)) = (self.bytes.get_mut(at), self.writable.get(at)) {
                *byte = *byte & !mask | new & mask;
            }
        }
    }

    /// By the device.
    pub fn set(&mut self, offset: u16, data: &[u8]) {
        for (index, new) in data.iter().enumerate() {
            if let Some(byte) = self
                .bytes
                .get_mut(usize::from(offset).saturating_add(index))
            {
                *byte = *new;
            }
        }
    }

    pub fn set_u16(&mut self, offset: u16, value: u16) {
        self.set(offset, &value.to_le_bytes());
    }

    pub fn u16(&self, offset: u16) -> u16 {
        let mut bytes = [0; 2];
        self.read(offset, &mut bytes);
        u16::from_le_bytes(bytes)
    }

    pub fn u8(&self, offset: u16) -> u8 {
        let mut bytes = [0];
        self.read(offset, &mut bytes);
        let [byte] = bytes;
        byte
    }

    pub fn u64(&self, offset: u16) -> u64 {
        let mut bytes = [0; 8];
        self.read(offset, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Gives the guest these bits.
    pub fn let_write(&mut self, offset: u16, mask: &[u8]) {
        for (index, bits) in mask.iter().enumerate() {
            let at = usize::from(offset).saturating_add(index);
            if let Some(writable) = self.writable.get_mut(at) {
                *writable |= bits;
            }
        }
    }

    /// Appends a capability and returns its place. `None` when there is no room, which only a device's own mistake can cause.
    pub fn add_capability(&mut self, id: u8, body: &[u8]) -> Option<u16> {
        let at = self.next_capability;
        let end = at.checked_add(2)?.checked_add(body.len())?;
        if end > SIZE {
            return None;
        }
        self.next_capability = end.checked_next_multiple_of(4)?;
        let place = u16::try_from(at).ok()?;
        self.set(self.last_capability, &[u8::try_from(at).ok()?]);
        self.last_capability = place.checked_add(1)?;
        self.set(place, &[id, 0]);
        self.set(place.checked_add(2)?, body);
        let status = self.u16(STATUS) | HAS_CAPABILITIES;
        self.set_u16(STATUS, status);
        Some(place)
    }

    /// The 64-bit BAR 0, prefetchable, `size` bytes (a power of two).
    pub fn add_bar(&mut self, size: u64) {
        const PREFETCHABLE_64: u8 = 0b1100;
        self.set(BAR_0, &[PREFETCHABLE_64]);
        let address_bits = !size.saturating_sub(1) & !0xf;
        self.let_write(BAR_0, &address_bits.to_le_bytes());
    }

    /// Where BAR 0 is decoded.
    pub fn bar(&self) -> Option<u64> {
        let enabled = self.u16(COMMAND) & MEMORY_ENABLED != 0;
        enabled.then(|| self.u64(BAR_0) & !0xf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> ConfigSpace {
        ConfigSpace::new(&Identity {
            vendor: 0x1af4,
            device: 0x1044,
            revision: 1,
            class: [0xff, 1, 2],
            header: 0,
            subsystem: [0x1af4, 0x40],
        })
    }

    fn word(space: &ConfigSpace, offset: u16) -> u32 {
        let mut bytes = [0; 4];
        space.read(offset, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    #[test]
    fn shows_who_it_is() {
        let space = space();
        assert_eq!(word(&space, 0), 0x1044_1af4);
        assert_eq!(word(&space, 8), 0xff01_0201);
        assert_eq!(word(&space, 0x2c), 0x0040_1af4);
    }

    #[test]
    fn the_guest_writes_only_what_it_may() {
        let mut space = space();
        for offset in 0..300u16 {
            space.write(offset, &[0xff]);
        }
        assert_eq!(word(&space, 0), 0x1044_1af4);
        assert_eq!(word(&space, COMMAND), 0x0406);
        assert_eq!(word(&space, 0x3c), 0xff);
        for offset in (0..256).step_by(4).filter(|it| ![4, 0x3c].contains(it)) {
            assert_eq!(word(&space, offset), word(&super::tests::space(), offset));
        }
    }

    #[test]
    fn capabilities_are_a_list() {
        let mut space = space();
        let first = space.add_capability(0x10, &[1; 7]).unwrap();
        let second = space.add_capability(0x11, &[2; 10]).unwrap();
        assert_eq!((first, second), (0x40, 0x4c));
        assert_eq!(space.u8(CAPABILITIES), 0x40);
        assert_eq!(word(&space, first) & 0xffff, 0x4c10);
        assert_eq!(word(&space, second) & 0xffff, 0x0011);
        assert_ne!(space.u16(STATUS) & HAS_CAPABILITIES, 0);
        assert_eq!(space.add_capability(9, &[0; 200]), None);
    }

    #[test]
    fn every_size_of_bar_is_found_as_guests_find_it() {
        for shift in 4..40 {
            let size = 1u64 << shift;
            let mut space = space();
            space.add_bar(size);
            space.write(BAR_0, &[0xff; 8]);
            let found = !(space.u64(BAR_0) & !0xf) + 1;
            assert_eq!(found, size);
            assert_eq!(space.u8(BAR_0) & 0xf, 0xc);
            space.write(BAR_0, &(size * 3).to_le_bytes());
            assert_eq!(space.bar(), None);
            space.write(COMMAND, &MEMORY_ENABLED.to_le_bytes());
            assert_eq!(space.bar(), Some(size * 3));
        }
    }
}
