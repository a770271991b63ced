//! The numbered events that a peer can ask for again.

use std::collections::VecDeque;

/// Most events kept.
const MAX_EVENTS: usize = 512;
/// Most bytes kept, so that large events of the engine cannot fill the pod's memory.
const MAX_BYTES: usize = 512 * 1024;

/// Frames of the latest events. Numbers start at 1 and never repeat.
#[derive(Default)]
pub struct Ring {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    last: u64,
}

impl Ring {
    /// The number of the latest event; 0 before the first.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The number that the next event gets.
    pub fn next(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// Keeps the frame of event number `next()`.
    pub fn push(&mut self, frame: Vec<u8>) {
        self.last = self.next();
        self.bytes += frame.len();
        self.frames.push_back(frame);
        while self.frames.len() > MAX_EVENTS || (self.bytes > MAX_BYTES && self.frames.len() > 1) {
            if let Some(dropped) = self.frames.pop_front() {
                self.bytes -= dropped.len();
            }
        }
    }

    /// The number of the oldest event kept; `next()` when there is none.
    pub fn first(&self) -> u64 {
        self.next().saturating_sub(self.frames.len() as u64)
    }

    /// The first event that somebody gets who wants those from this number on.
    pub fn admit(&self, number: u64) -> u64 {
        number.clamp(self.first(), self.next())
    }

    /// The kept events from this number on.
    pub fn from(&self, number: u64) -> impl Iterator<Item = &[u8]> {
        let skipped = number.saturating_sub(self.first());
        self.frames
            .iter()
            .skip(usize::try_from(skipped).unwrap_or(usize::MAX))
            .map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize) -> Ring {
        let mut ring = Ring::default();
        for at in 1..=count {
            ring.push(at.to_string().into_bytes());
        }
        ring
    }

    fn texts(ring: &Ring, from: u64) -> Vec<String> {
        ring.from(from)
            .map(|frame| String::from_utf8(frame.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn numbers_start_at_one() {
        let ring = Ring::default();
        assert_eq!((ring.first(), ring.last(), ring.next()), (1, 0, 1));
        let ring = of(1);
        assert_eq!((ring.first(), ring.last(), ring.next()), (1, 1, 2));
    }

    #[test]
    fn a_peer_gets_the_events_from_its_number_on() {
        assert_eq!(texts(&of(4), 3), ["3", "4"]);
        assert_eq!(texts(&of(4), 0), ["1", "2", "3", "4"]);
        assert!(texts(&of(4), 5).is_empty());
        assert!(texts(&of(4), u64::MAX).is_empty());
    }

    #[test]
    fn a_number_outside_of_the_ring_is_moved_into_it() {
        assert_eq!(
            [0, 1, 3, 4, 5].map(|from| of(3).admit(from)),
            [1, 1, 3, 4, 4]
        );
        assert_eq!(of(600).admit(1), 89);
    }

    #[test]
    fn only_the_last_512_are_kept() {
        let ring = of(600);
        assert_eq!((ring.first(), ring.last()), (89, 600));
        assert_eq!(texts(&ring, 1).len(), 512);
        assert_eq!(texts(&ring, 1)[0], "89");
    }

    #[test]
    fn large_events_push_out_older_ones_but_the_newest_stays() {
        let mut ring = of(3);
        ring.push(vec![b' '; MAX_BYTES + 1]);
        assert_eq!((ring.first(), ring.last()), (4, 4));
        ring.push(b"5".to_vec());
        assert_eq!((ring.first(), ring.bytes), (5, 1));
    }
}
