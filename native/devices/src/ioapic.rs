//! The I/O APIC (Intel 82093AA): wires in, messages to the local APICs out. KVM has the local ones (split irqchip).

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::bus::{BusDevice, lock};
use crate::interrupt::{InterruptLine, LocalApics, MsiMessage};

pub const PINS: u8 = 24;

const SELECT: u64 = 0x00;
const WINDOW: u64 = 0x10;
const END_OF_INTERRUPT: u64 = 0x40;

const ID: u8 = 0;
const VERSION: u8 = 1;
const ARBITRATION: u8 = 2;
const FIRST_ENTRY: u8 = 0x10;
/// Version 0x20 has the EOI register; the highest entry's number stands above.
const VERSION_VALUE: u32 = 0x20 | (PINS as u32 - 1) << 16;

const MASKED: u64 = 1 << 16;
const LEVEL: u64 = 1 << 15;
const REMOTE_IRR: u64 = 1 << 14;
const DELIVERY_STATUS: u64 = 1 << 12;
const READ_ONLY: u64 = REMOTE_IRR | DELIVERY_STATUS;
/// Bits that exist: destination in the highest byte, its extension (15 bits of destination) below it.
const ENTRY_BITS: u64 = 0xffff_0000_0001_ffff;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoApicState {
    select: u8,
    id: u8,
    entries: [u64; PINS as usize],
    /// Levels of the wires.
    high: u32,
}

pub struct IoApic {
    state: IoApicState,
    apics: Arc<dyn LocalApics>,
}

impl IoApic {
    pub fn new(apics: Arc<dyn LocalApics>) -> IoApic {
        IoApic {
            state: initial(0),
            apics,
        }
    }

    pub fn reset(&mut self) {
        self.state = initial(self.state.high);
        for pin in 0..PINS {
            self.apics.pin_changed(pin, None);
        }
    }

    pub fn state(&self) -> IoApicState {
        self.state.clone()
    }

    /// The guest has served every interrupt of this vector.
    pub fn end_of_interrupt(&mut self, vector: u8) {
        for pin in 0..PINS {
            let Some(entry) = self.entry_mut(pin) else {
                continue;
            };
            if entry.to_le_bytes().first() == Some(&vector) && *entry & LEVEL != 0 {
                *entry &= !REMOTE_IRR;
                self.service(pin);
            }
        }
    }

    fn set_level(&mut self, pin: u8, high: bool) {
        let bit = bit(pin);
        let rose = high && self.state.high & bit == 0;
        if high {
            self.state.high |= bit;
        } else {
            self.state.high &= !bit;
        }
        let Some(entry) = self.entry(pin) else { return };
        if entry & LEVEL != 0 {
            self.service(pin);
        } else if rose && entry & MASKED == 0 {
            self.apics.deliver(message(entry));
        }
    }

    /// Sends a level-triggered interrupt whose wire is high, unless the guest is serving it.
    fn service(&mut self, pin: u8) {
        let high = self.state.high & bit(pin) != 0;
        let Some(entry) = self.entry_mut(pin) else {
            return;
        };
        if high && *entry & LEVEL != 0 && *entry & (MASKED | REMOTE_IRR) == 0 {
            *entry |= REMOTE_IRR;
            let message = message(*entry);
            self.apics.deliver(message);
        }
    }

    fn entry(&self, pin: u8) -> Option<u64> {
        self.state.entries.get(usize::from(pin)).copied()
    }

    fn entry_mut(&mut self, pin: u8) -> Option<&mut u64> {
        self.state.entries.get_mut(usize::from(pin))
    }

    fn register(&self) -> u32 {
        match self.state.select {
            ID | ARBITRATION => u32::from(self.state.id) << 24,
            VERSION => VERSION_VALUE,
            select => {
                let (pin, upper) = entry_of(select);
                let entry = self.entry(pin).unwrap_or(0);
                let [low, high] = halves(entry);
                if upper { high } else { low }
            }
        }
    }

    fn set_register(&mut self, value: u32) {
        match self.state.select {
            ID => self.state.id = (value >> 24) as u8 & 0x0f,
            select if select >= FIRST_ENTRY => {
                let (pin, upper) = entry_of(select);
                self.set_entry(pin, upper, value);
            }
            _ => {}
        }
    }

    fn set_entry(&mut self, pin: u8, upper: bool, value: u32) {
        let Some(entry) = self.entry_mut(pin) else {
            return;
        };
        let [low, high] = halves(*entry);
        let new = if upper {
            u64::from(low) | u64::from(value) << 32
        } else {
            u64::from(value) | u64::from(high) << 32
        };
        *entry = new & ENTRY_BITS & !READ_ONLY | *entry & READ_ONLY;
        // An edge-triggered entry waits for no end of interrupt; this is also how Linux clears a stuck one.
        if *entry & LEVEL == 0 {
            *entry &= !REMOTE_IRR;
        }
        let entry = *entry;
        let told = (entry & MASKED == 0).then(|| message(entry));
        self.apics.pin_changed(pin, told);
        self.service(pin);
    }
}

impl BusDevice for IoApic {
    fn read(&mut self, offset: u64, data: &mut [u8]) {
        let value = match offset {
            SELECT => u32::from(self.state.select),
            WINDOW => self.register(),
            _ => 0,
        };
        data.fill(0);
        for (to, from) in data.iter_mut().zip(value.to_le_bytes()) {
            *to = from;
        }
    }

    fn write(&mut self, offset: u64, data: &[u8]) {
        let &[first, ..] = data else { return };
        match (offset, data) {
            (SELECT, _) => self.state.select = first,
            (WINDOW, &[a, b, c, d]) => self.set_register(u32::from_le_bytes([a, b, c, d])),
            (END_OF_INTERRUPT, _) => self.end_of_interrupt(first),
            _ => {}
        }
    }
}

/// The wire to one pin.
pub struct Pin {
    ioapic: Arc<Mutex<IoApic>>,
    pin: u8,
}

impl Pin {
    pub fn new(ioapic: Arc<Mutex<IoApic>>, pin: u8) -> Pin {
        Pin { ioapic, pin }
    }
}

impl InterruptLine for Pin {
    fn set_level(&self, high: bool) {
        lock(&self.ioapic).set_level(self.pin, high);
    }
}

fn initial(high: u32) -> IoApicState {
    IoApicState {
        select: 0,
        id: 0,
        entries: [MASKED; PINS as usize],
        high,
    }
}

fn bit(pin: u8) -> u32 {
    1u32.checked_shl(u32::from(pin)).unwrap_or(0)
}

/// The pin whose entry a register is half of, and whether it is the upper half.
fn entry_of(select: u8) -> (u8, bool) {
    (select.wrapping_sub(FIRST_ENTRY) >> 1, select & 1 == 1)
}

fn halves(entry: u64) -> [u32; 2] {
    [entry as u32, (entry >> 32) as u32]
}

/// The entry in the form of a message-signalled interrupt (Intel SDM 3, 12.11), with the extended destination in its place.
fn message(entry: u64) -> MsiMessage {
    let destination = entry >> 56 & 0xff;
    let extended = entry >> 49 & 0x7f;
    let logical = entry >> 11 & 1;
    let trigger = entry >> 15 & 1;
    let vector_and_mode = entry & 0x7ff;
    MsiMessage {
        address: 0xfee0_0000 | destination << 12 | extended << 5 | logical << 2,
        // A level that is asserted.
        data: (vector_and_mode | trigger << 15 | 1 << 14) as u32,
    }
}

#[cfg(test)]
mod tests;
