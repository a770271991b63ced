//! How often a guest is answered: ten times a second over time, twenty times at once.

use std::time::{Duration, Instant};

const EACH: Duration = Duration::from_millis(100);
const BURST: u32 = 20;

pub struct Rate {
    /// When everything that was taken has been earned again.
    paid: Instant,
}

impl Rate {
    pub fn new(now: Instant) -> Self {
        Self { paid: now }
    }

    pub fn allows(&mut self, now: Instant) -> bool {
        let paid = self.paid.max(now) + EACH;
        let allowed = paid <= now + EACH * BURST;
        if allowed {
            self.paid = paid;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_its_burst_and_then_ten_a_second() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let count = |rate: &mut Rate, at| (0..1000).filter(|_| rate.allows(at)).count();
        assert_eq!(count(&mut rate, start), 20);
        assert_eq!(count(&mut rate, start), 0);
        assert_eq!(count(&mut rate, start + Duration::from_secs(1)), 10);
        assert_eq!(count(&mut rate, start + Duration::from_secs(60)), 20);
    }
}
