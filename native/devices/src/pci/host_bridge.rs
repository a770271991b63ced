//! Function 0 of bus 0: there so that the bus is not empty.

use super::PciFunction;
use super::config::{ConfigSpace, Identity};

pub struct HostBridge {
    config: ConfigSpace,
}

impl HostBridge {
    pub fn new() -> HostBridge {
        // The id that cloud firmware looks for on boards like this one.
        let config = ConfigSpace::new(&Identity {
            vendor: 0x8086,
            device: 0x0d57,
            revision: 0,
            class: [6, 0, 0],
            header: 0,
            subsystem: [0, 0],
        });
        HostBridge { config }
    }
}

impl Default for HostBridge {
    fn default() -> HostBridge {
        HostBridge::new()
    }
}

impl PciFunction for HostBridge {
    fn read_config(&mut self, offset: u16, data: &mut [u8]) {
        self.config.read(offset, data);
    }

    fn write_config(&mut self, offset: u16, data: &[u8]) {
        self.config.write(offset, data);
    }

    fn reset(&mut self) {
        *self = HostBridge::new();
    }
}
