//! pvpanic: a port by which a guest says that its kernel has panicked (QEMU's docs/specs/pvpanic).

use crate::bus::BusDevice;
use crate::power::{PowerEvent, PowerSink};

const PANICKED: u8 = 1;
/// It dumps its memory now and will boot again.
const CRASH_LOADED: u8 = 2;

pub struct PvPanic {
    power: PowerSink,
}

impl PvPanic {
    pub fn new(power: PowerSink) -> PvPanic {
        PvPanic { power }
    }
}

impl BusDevice for PvPanic {
    fn read(&mut self, _: u64, data: &mut [u8]) {
        data.fill(PANICKED | CRASH_LOADED);
    }

    fn write(&mut self, _: u64, data: &[u8]) {
        let Some(&event) = data.first() else { return };
        if event & PANICKED != 0 {
            self.power.send(PowerEvent::Panicked);
        } else if event & CRASH_LOADED != 0 {
            self.power.send(PowerEvent::CrashLoaded);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power::channel;

    #[test]
    fn tells_a_panic_from_a_dump() {
        let (sink, events) = channel().unwrap();
        let mut device = PvPanic::new(sink);
        let mut supported = [0];
        device.read(0, &mut supported);
        assert_eq!(supported, [3]);
        for (written, said) in [
            (0, None),
            (1, Some(PowerEvent::Panicked)),
            (2, Some(PowerEvent::CrashLoaded)),
            (3, Some(PowerEvent::Panicked)),
            (4, None),
        ] {
            device.write(0, &[written]);
            assert_eq!(events.next(), said, "{written}");
        }
    }
}
