//! Bus 0 with its host bridge and root ports, and the way to the functions behind them.

use std::sync::{Arc, Mutex};

use super::PciFunction;
use super::host_bridge::HostBridge;
use super::root_port::RootPort;
use crate::bus::{BusDevice, lock};

/// Root ports are devices 1 to 31 of bus 0.
pub const MAX_PORTS: usize = 31;

type Function = Arc<Mutex<dyn PciFunction>>;

pub struct RootComplex {
    bridge: HostBridge,
    slots: Vec<Slot>,
}

struct Slot {
    port: RootPort,
    function: Option<Function>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

impl RootComplex {
    /// One root port for each function, and some that are empty.
    pub fn new(functions: Vec<Function>, spare: usize) -> Result<RootComplex, TooMany> {
        let filled = functions.into_iter().map(Some);
        let slots: Vec<Slot> = filled
            .chain(std::iter::repeat_n(None, spare))
            .zip(1u8..)
            .map(|(function, number)| Slot {
                port: RootPort::new(number, function.is_some()),
                function,
            })
            .collect();
        if slots.len() > MAX_PORTS {
            return Err(TooMany);
        }
        Ok(RootComplex {
            bridge: HostBridge::new(),
            slots,
        })
    }

    pub fn reset(&mut self) {
        self.bridge.reset();
        for slot in &mut self.slots {
            slot.port.reset();
            if let Some(function) = &slot.function {
                lock(function).reset();
            }
        }
    }

    fn functions(&self) -> impl Iterator<Item = &Function> {
        self.slots.iter().filter_map(|slot| slot.function.as_ref())
    }

    /// Calls `then` with the function that has this bus and device number.
    fn with<T>(
        &mut self,
        bus: u8,
        device: u8,
        then: impl FnOnce(&mut dyn PciFunction) -> T,
    ) -> Option<T> {
        if bus > 0 {
            let behind = |slot: &&mut Slot| slot.port.secondary_bus() == bus;
            let slot = self.slots.iter_mut().find(behind)?;
            let function = slot.function.as_ref().filter(|_| device == 0)?;
            return Some(then(&mut *lock(function)));
        }
        match usize::from(device).checked_sub(1) {
            None => Some(then(&mut self.bridge)),
            Some(index) => Some(then(&mut self.slots.get_mut(index)?.port)),
        }
    }
}

/// The configuration space, by address (PCI Firmware 3.3, 4.1).
pub struct Ecam(pub Arc<Mutex<RootComplex>>);

impl Ecam {
    fn find<T>(
        &self,
        offset: u64,
        length: usize,
        then: impl FnOnce(&mut dyn PciFunction, u16) -> T,
    ) -> Option<T> {
        let bus = u8::try_from(offset >> 20).ok()?;
        let device = (offset >> 15 & 0x1f) as u8;
        let function = offset >> 12 & 7;
        let register = (offset & 0xfff) as u16;
        // Within one register, as the bus has it.
        let within = usize::from(register & 3).checked_add(length)? <= 4;
        if function != 0 || !within {
            return None;
        }
        lock(&self.0).with(bus, device, |it| then(it, register))
    }
}

impl BusDevice for Ecam {
    fn read(&mut self, offset: u64, data: &mut [u8]) {
        let length = data.len();
        let found = self.find(offset, length, |function, register| {
            let mut read = [0xff; 4];
            if let Some(read) = read.get_mut(..length) {
                function.read_config(register, read);
            }
            read
        });
        let read = found.unwrap_or([0xff; 4]);
        data.fill(0xff);
        for (to, from) in data.iter_mut().zip(read) {
            *to = from;
        }
    }

    fn write(&mut self, offset: u64, data: &[u8]) {
        self.find(offset, data.len(), |function, register| {
            function.write_config(register, data);
        });
    }
}

/// A window for BARs, which starts at this address.
pub struct Window {
    pub complex: Arc<Mutex<RootComplex>>,
    pub start: u64,
}

impl BusDevice for Window {
    fn read(&mut self, offset: u64, data: &mut [u8]) {
        let address = self.start.wrapping_add(offset);
        let complex = lock(&self.complex);
        let answered = complex
            .functions()
            .any(|function| lock(function).read_memory(address, data));
        if !answered {
            data.fill(0xff);
        }
    }

    fn write(&mut self, offset: u64, data: &[u8]) {
        let address = self.start.wrapping_add(offset);
        let complex = lock(&self.complex);
        let _ = complex
            .functions()
            .any(|function| lock(function).write_memory(address, data));
    }
}

#[cfg(test)]
mod tests;
