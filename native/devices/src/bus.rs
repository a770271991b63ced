//! Who answers at which address.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A device with registers. Offsets count from the start of its range; an access lies wholly within it.
pub trait BusDevice: Send {
    fn read(&mut self, offset: u64, data: &mut [u8]);
    fn write(&mut self, offset: u64, data: &[u8]);
}

/// The bus is made before the guest runs and does not change then; what moves at run time, as BARs do, is decided by the device
/// whose range it lies in.
#[derive(Default)]
pub struct Bus {
    /// By first address.
    ranges: BTreeMap<u64, Entry>,
}

struct Entry {
    end: u64,
    device: Arc<Mutex<dyn BusDevice>>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Overlap;

impl Bus {
    pub fn insert(
        &mut self,
        range: Range<u64>,
        device: Arc<Mutex<dyn BusDevice>>,
    ) -> Result<(), Overlap> {
        let taken = self
            .ranges
            .range(..range.end)
            .next_back()
            .is_some_and(|(_, entry)| entry.end > range.start);
        if taken || range.is_empty() {
            return Err(Overlap);
        }
        let end = range.end;
        self.ranges.insert(range.start, Entry { end, device });
        Ok(())
    }

    /// What nobody answers reads as ones.
    pub fn read(&self, address: u64, data: &mut [u8]) {
        match self.find(address, data.len()) {
            Some((offset, device)) => lock(device).read(offset, data),
            None => data.fill(0xff),
        }
    }

    /// What nobody answers is lost.
    pub fn write(&self, address: u64, data: &[u8]) {
        if let Some((offset, device)) = self.find(address, data.len()) {
            lock(device).write(offset, data);
        }
    }

    fn find(&self, address: u64, length: usize) -> Option<(u64, &Arc<Mutex<dyn BusDevice>>)> {
        let (start, entry) = self.ranges.range(..=address).next_back()?;
        let last = address.checked_add(u64::try_from(length).ok()?)?;
        (last <= entry.end).then_some((address.checked_sub(*start)?, &entry.device))
    }
}

/// A thread that panics takes the process with it: no lock is ever seen poisoned.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Echo(Vec<(u64, Vec<u8>)>);

    impl BusDevice for Echo {
        fn read(&mut self, offset: u64, data: &mut [u8]) {
            data.fill(u8::try_from(offset).unwrap());
        }

        fn write(&mut self, offset: u64, data: &[u8]) {
            self.0.push((offset, data.to_vec()));
        }
    }

    fn bus() -> (Bus, Arc<Mutex<Echo>>) {
        let device = Arc::new(Mutex::new(Echo(Vec::new())));
        let mut bus = Bus::default();
        bus.insert(0x100..0x110, device.clone()).unwrap();
        (bus, device)
    }

    #[test]
    fn a_device_sees_offsets_into_its_range() {
        let (bus, device) = bus();
        let mut data = [0; 2];
        bus.read(0x10e, &mut data);
        assert_eq!(data, [0x0e; 2]);
        bus.write(0x100, &[1, 2, 3]);
        assert_eq!(lock(&device).0, [(0, vec![1, 2, 3])]);
    }

    #[test]
    fn an_access_that_leaves_the_range_reaches_nobody() {
        let (bus, device) = bus();
        for address in [0xff, 0x10f, 0x110, u64::MAX] {
            let mut data = [0; 2];
            bus.read(address, &mut data);
            assert_eq!(data, [0xff; 2], "{address:#x}");
            bus.write(address, &[0, 0]);
        }
        assert!(lock(&device).0.is_empty());
    }

    #[test]
    fn ranges_do_not_overlap() {
        let (mut bus, device) = bus();
        for range in [0x10f..0x111, 0..0x101, 0x104..0x105, 0..0x200, 5..5] {
            assert_eq!(bus.insert(range, device.clone()), Err(Overlap));
        }
        bus.insert(0x110..0x111, device.clone()).unwrap();
        bus.insert(0xff..0x100, device).unwrap();
    }
}
