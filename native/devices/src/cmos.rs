//! The real-time clock (an MC146818) and its memory, read by guests at boot. It shows the host's clock in UTC and is not set by
//! the guest, whose own clock runs on from there.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::bus::BusDevice;

const STATUS_A: u8 = 0x0a;
const STATUS_B: u8 = 0x0b;
const STATUS_C: u8 = 0x0c;
const STATUS_D: u8 = 0x0d;
const CENTURY: u8 = 0x32;
/// Registers behind the clock's own, for the guest's use.
const MEMORY: u8 = 0x0e;
/// The bit of the index port that masks NMIs.
const INDEX_MASK: u8 = 0x7f;

/// 32.768 kHz, no update in progress.
const DIVIDER: u8 = 0x26;
/// 24 hours, binary coded decimal: what every guest understands.
const HOURS_24: u8 = 0x02;
const BATTERY_GOOD: u8 = 0x80;

type Clock = fn() -> u64;

pub struct Cmos {
    now: Clock,
    state: CmosState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CmosState {
    index: u8,
    memory: Vec<u8>,
}

impl Cmos {
    pub fn new() -> Cmos {
        Cmos::with_clock(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs())
        })
    }

    fn with_clock(now: Clock) -> Cmos {
        let state = CmosState {
            index: 0,
            memory: vec![0; 128],
        };
        Cmos { now, state }
    }

    pub fn state(&self) -> CmosState {
        self.state.clone()
    }

    fn register(&self) -> u8 {
        let now = Date::of((self.now)());
        match self.state.index {
            0 => bcd(now.second),
            2 => bcd(now.minute),
            4 => bcd(now.hour),
            6 => bcd(now.weekday),
            7 => bcd(now.day),
            8 => bcd(now.month),
            9 => bcd(now.year % 100),
            CENTURY => bcd(now.year / 100),
            STATUS_A => DIVIDER,
            STATUS_B => HOURS_24,
            STATUS_C => 0,
            STATUS_D => BATTERY_GOOD,
            index => self
                .state
                .memory
                .get(usize::from(index))
                .copied()
                .unwrap_or(0),
        }
    }
}

impl Default for Cmos {
    fn default() -> Cmos {
        Cmos::new()
    }
}

impl BusDevice for Cmos {
    fn read(&mut self, offset: u64, data: &mut [u8]) {
        data.fill(0xff);
        if let (1, [value]) = (offset, data) {
            *value = self.register();
        }
    }

    fn write(&mut self, offset: u64, data: &[u8]) {
        match (offset, data) {
            (0, &[value]) => self.state.index = value & INDEX_MASK,
            (1, &[value]) if self.state.index >= MEMORY && self.state.index != CENTURY => {
                if let Some(cell) = self.state.memory.get_mut(usize::from(self.state.index)) {
                    *cell = value;
                }
            }
            _ => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Date {
    year: u64,
    month: u64,
    day: u64,
    /// Sunday is 1.
    weekday: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Date {
    /// Of seconds since 1970, by the civil calendar whose years begin in March (so that a leap day is the last of its year).
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the host's clock, not the guest's; bounded below the year 10000"
    )]
    fn of(seconds: u64) -> Date {
        const LAST: u64 = 253_402_300_799;
        let seconds = seconds.min(LAST);
        let days = seconds / 86_400;
        let from_year_0 = days + 719_468;
        let era = from_year_0 / 146_097;
        let day_of_era = from_year_0 % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        Date {
            year: year_of_era + era * 400 + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            weekday: (days + 4) % 7 + 1,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }
}

/// Of a number below 100.
fn bcd(number: u64) -> u8 {
    let tens = u8::try_from(number / 10).unwrap_or(9);
    let ones = u8::try_from(number % 10).unwrap_or(9);
    tens << 4 | ones
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(cmos: &mut Cmos, index: u8) -> u8 {
        cmos.write(0, &[index]);
        let mut data = [0];
        cmos.read(1, &mut data);
        data[0]
    }

    #[test]
    fn shows_the_time_in_decimal_digits() {
        // 2028-02-29 23:59:58, a Tuesday.
        let mut cmos = Cmos::with_clock(|| 1_835_481_598);
        let shown = [0, 2, 4, 6, 7, 8, 9, CENTURY].map(|index| register(&mut cmos, index));
        assert_eq!(shown, [0x58, 0x59, 0x23, 0x03, 0x29, 0x02, 0x28, 0x20]);
        assert_eq!(register(&mut cmos, STATUS_A) & 0x80, 0);
        assert_eq!(register(&mut cmos, STATUS_D), BATTERY_GOOD);
    }

    #[test]
    fn knows_the_calendar() {
        let date = |seconds| {
            let date = Date::of(seconds);
            (date.year, date.month, date.day)
        };
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(951_782_400), (2000, 2, 29));
        assert_eq!(date(951_868_800), (2000, 3, 1));
        assert_eq!(date(4_107_542_399), (2100, 2, 28));
        assert_eq!(date(4_107_542_400), (2100, 3, 1));
        assert_eq!(date(u64::MAX), (9999, 12, 31));
        assert_eq!(Date::of(0).weekday, 5);
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut before = Date::of(0);
        for day in 1..100_000 {
            let date = Date::of(day * 86_400);
            assert_eq!(date.weekday, before.weekday % 7 + 1);
            let next_day = (before.year, before.month, before.day + 1);
            let next_month = (before.year, before.month + 1, 1);
            let next_year = (before.year + 1, 1, 1);
            assert!([next_day, next_month, next_year].contains(&(date.year, date.month, date.day)));
            before = date;
        }
    }

    #[test]
    fn keeps_what_is_written_behind_the_clock_and_nothing_else() {
        let mut cmos = Cmos::with_clock(|| 0);
        for index in 0..=u8::MAX {
            let before = register(&mut cmos, index);
            cmos.write(1, &[0x5a]);
            let index = index & INDEX_MASK;
            let kept = index >= MEMORY && index != CENTURY;
            assert_eq!(register(&mut cmos, index), if kept { 0x5a } else { before });
        }
    }

    #[test]
    fn odd_accesses_read_as_ones() {
        let mut cmos = Cmos::new();
        let mut wide = [0; 2];
        cmos.read(1, &mut wide);
        cmos.write(1, &[1, 2]);
        assert_eq!(wide, [0xff; 2]);
        let mut index = [0];
        cmos.read(0, &mut index);
        assert_eq!(index, [0xff]);
    }
}
