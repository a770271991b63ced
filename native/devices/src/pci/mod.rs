//! PCI Express: configuration space by ECAM, root ports with one slot each, and the functions in them.

pub mod config;
pub mod host_bridge;
pub mod msix;
pub mod root_complex;
pub mod root_port;

use std::ops::Range;

pub use config::ConfigSpace;
pub use root_complex::RootComplex;

/// One function of a device.
pub trait PciFunction: Send {
    /// Offsets below 4096; an access lies within one aligned 32-bit register.
    fn read_config(&mut self, offset: u16, data: &mut [u8]);
    fn write_config(&mut self, offset: u16, data: &[u8]);
    /// An access to one of the windows; false where no BAR of this function lies there.
    fn read_memory(&mut self, _address: u64, _data: &mut [u8]) -> bool {
        false
    }
    fn write_memory(&mut self, _address: u64, _data: &[u8]) -> bool {
        false
    }
    /// As after power-on.
    fn reset(&mut self);
}

/// Where BARs may lie. What a guest programs elsewhere, over its RAM for one, is not decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows(pub Vec<Range<u64>>);

impl Windows {
    pub fn hold(&self, start: u64, size: u64) -> bool {
        let Some(end) = start.checked_add(size) else {
            return false;
        };
        self.0
            .iter()
            .any(|window| window.start <= start && end <= window.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_lies_wholly_within_one_window() {
        let windows = Windows(vec![0x1000..0x2000, 0x2000..0x3000]);
        assert!(windows.hold(0x1000, 0x1000));
        assert!(windows.hold(0x2800, 0x800));
        assert!(!windows.hold(0x1800, 0x1000));
        assert!(!windows.hold(0xfff, 0x10));
        assert!(!windows.hold(u64::MAX, 2));
        assert!(!Windows::default().hold(0, 1));
    }
}
