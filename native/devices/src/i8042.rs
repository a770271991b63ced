//! The keyboard controller, of which nothing is left but its line to the CPU's reset pin. Linux uses it with `reboot=k`.

use crate::bus::BusDevice;
use crate::power::{PowerEvent, PowerSink};

/// Port 0x64 within the range that begins at 0x60.
const COMMAND: u64 = 4;
const PULSE_RESET: u8 = 0xfe;

pub struct I8042 {
    power: PowerSink,
}

impl I8042 {
    pub fn new(power: PowerSink) -> I8042 {
        I8042 { power }
    }
}

impl BusDevice for I8042 {
    /// Nothing to read and ready for a command: a driver that looks for a keyboard finds none.
    fn read(&mut self, _: u64, data: &mut [u8]) {
        data.fill(0);
    }

    fn write(&mut self, offset: u64, data: &[u8]) {
        if offset == COMMAND && data == [PULSE_RESET] {
            self.power.send(PowerEvent::Reset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power::channel;

    #[test]
    fn resets_by_its_command_and_by_nothing_else() {
        let (sink, events) = channel().unwrap();
        let mut device = I8042::new(sink);
        device.write(0, &[PULSE_RESET]);
        device.write(COMMAND, &[0xd1]);
        device.write(COMMAND, &[PULSE_RESET, 0]);
        assert_eq!(events.next(), None);
        device.write(COMMAND, &[PULSE_RESET]);
        assert_eq!(events.next(), Some(PowerEvent::Reset));
        let mut status = [0xff];
        device.read(COMMAND, &mut status);
        assert_eq!(status, [0]);
    }
}
