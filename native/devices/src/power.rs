//! The board's power: the ports by which a guest sleeps and resets (ACPI's hardware-reduced registers), and the event register
//! by which it hears of the power button (a Generic Event Device).

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use vmm_sys_util::eventfd::EventFd;

use crate::bus::{BusDevice, lock};
use crate::interrupt::InterruptLine;

/// What a guest has done that ends or restarts its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerEvent {
    /// It went to sleep state 5.
    Off,
    Reset,
    Panicked,
    CrashLoaded,
    /// A vCPU cannot go on; the log says why.
    Failed,
}

/// Most events that wait: a guest that says more before it is stopped says nothing new.
const MAX_WAITING: usize = 16;

/// Takes events from vCPU threads and never waits.
#[derive(Clone)]
pub struct PowerSink(Arc<Shared>);

/// Where the control thread gets them.
pub struct PowerEvents(Arc<Shared>);

struct Shared {
    waiting: Mutex<VecDeque<PowerEvent>>,
    wake: EventFd,
}

pub fn channel() -> io::Result<(PowerSink, PowerEvents)> {
    let shared = Arc::new(Shared {
        waiting: Mutex::new(VecDeque::new()),
        wake: EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)?,
    });
    Ok((PowerSink(shared.clone()), PowerEvents(shared)))
}

impl PowerSink {
    pub fn send(&self, event: PowerEvent) {
        let mut waiting = lock(&self.0.waiting);
        if waiting.len() < MAX_WAITING {
            waiting.push_back(event);
        }
        self.wake();
    }

    /// Something else has happened that the control thread looks after.
    pub fn wake(&self) {
        // Full only when it is readable anyway.
        let _ = self.0.wake.write(1);
    }
}

impl PowerEvents {
    /// Readable when there are events.
    pub fn wake(&self) -> &EventFd {
        &self.0.wake
    }

    pub fn next(&self) -> Option<PowerEvent> {
        let _ = self.0.wake.read();
        let mut waiting = lock(&self.0.waiting);
        let event = waiting.pop_front();
        if !waiting.is_empty() {
            let _ = self.0.wake.write(1);
        }
        event
    }
}

/// Offsets of the registers, one byte each.
pub const SLEEP_CONTROL: u64 = 0;
pub const SLEEP_STATUS: u64 = 1;
pub const RESET: u64 = 2;
/// What has happened, in bits; reading clears it.
pub const EVENTS: u64 = 4;
pub const SIZE: u64 = 8;

/// The value that resets when it is written to `RESET`.
pub const RESET_VALUE: u8 = 1;
/// The sleep type that `_S5` names.
pub const SLEEP_TYPE_OFF: u8 = 5;
pub const EVENT_POWER_BUTTON: u8 = 1;

const SLEEP_ENABLE: u8 = 1 << 5;

pub struct PowerBoard {
    power: PowerSink,
    line: Arc<dyn InterruptLine>,
    state: PowerState,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowerState {
    pub events: u8,
}

impl PowerBoard {
    pub fn new(power: PowerSink, line: Arc<dyn InterruptLine>) -> PowerBoard {
        let state = PowerState::default();
        PowerBoard { power, line, state }
    }

    pub fn press_button(&mut self) {
        self.state.events |= EVENT_POWER_BUTTON;
        self.line.pulse();
    }

    pub fn reset(&mut self) {
        self.state = PowerState::default();
    }

    pub fn state(&self) -> PowerState {
        self.state.clone()
    }
}

impl BusDevice for PowerBoard {
    fn read(&mut self, offset: u64, data: &mut [u8]) {
        data.fill(0);
        if offset == EVENTS
            && let Some(first) = data.first_mut()
        {
            *first = std::mem::take(&mut self.state.events);
        }
    }

    fn write(&mut self, offset: u64, data: &[u8]) {
        match (offset, data) {
            (SLEEP_CONTROL, &[value]) if is_off(value) => self.power.send(PowerEvent::Off),
            (RESET, &[RESET_VALUE]) => self.power.send(PowerEvent::Reset),
            _ => {}
        }
    }
}

fn is_off(control: u8) -> bool {
    control & SLEEP_ENABLE != 0 && (control >> 2) & 7 == SLEEP_TYPE_OFF
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Line;

    fn board() -> (PowerBoard, Arc<Line>, PowerEvents) {
        let (sink, events) = channel().unwrap();
        let line = Arc::new(Line::default());
        (PowerBoard::new(sink, line.clone()), line, events)
    }

    #[test]
    fn powers_off_at_sleep_state_5_only() {
        let (mut board, _, events) = board();
        for value in 0..=u8::MAX {
            board.write(SLEEP_CONTROL, &[value]);
            let off = value & 0x20 != 0 && (value >> 2) & 7 == 5;
            assert_eq!(events.next(), off.then_some(PowerEvent::Off), "{value:#x}");
        }
    }

    #[test]
    fn resets_by_its_value_only() {
        let (mut board, _, events) = board();
        board.write(RESET, &[0]);
        board.write(RESET, &[1, 0]);
        board.write(SLEEP_STATUS, &[1]);
        assert_eq!(events.next(), None);
        board.write(RESET, &[RESET_VALUE]);
        assert_eq!(events.next(), Some(PowerEvent::Reset));
    }

    #[test]
    fn the_button_is_an_edge_and_a_bit_that_is_read_once() {
        let (mut board, line, _events) = board();
        board.press_button();
        assert_eq!(line.taken(), [true, false]);
        let mut value = [0xff];
        board.read(EVENTS, &mut value);
        assert_eq!(value, [EVENT_POWER_BUTTON]);
        board.read(EVENTS, &mut value);
        assert_eq!(value, [0]);
        board.press_button();
        board.reset();
        assert_eq!(board.state(), PowerState::default());
    }

    #[test]
    fn a_guest_that_floods_fills_no_memory() {
        let (sink, events) = channel().unwrap();
        for _ in 0..1000 {
            sink.send(PowerEvent::Reset);
        }
        let mut seen = 0;
        while events.next().is_some() {
            seen += 1;
        }
        assert_eq!(seen, MAX_WAITING);
    }
}
