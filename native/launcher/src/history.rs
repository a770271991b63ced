//! The last bytes of the console, addressed by how many came before them.

use std::collections::VecDeque;

/// Bytes that a new reader gets to see.
pub const CAPACITY: usize = 64 * 1024;

#[derive(Default)]
pub struct History {
    bytes: VecDeque<u8>,
    end: u64,
}

impl History {
    pub fn push(&mut self, bytes: &[u8]) {
        let kept = bytes
            .get(bytes.len().saturating_sub(CAPACITY)..)
            .unwrap_or_default();
        let excess = (self.bytes.len() + kept.len()).saturating_sub(CAPACITY);
        self.bytes.drain(..excess);
        self.bytes.extend(kept);
        self.end += bytes.len() as u64;
    }

    /// The position of the oldest byte kept.
    pub fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// The position behind the newest byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes from this position on, or from the oldest if it is gone, with their position. Not always all of them: ask again
    /// behind what came.
    pub fn from(&self, position: u64) -> (u64, &[u8]) {
        let position = position.clamp(self.start(), self.end);
        let skipped = (position - self.start()) as usize;
        let (older, newer) = self.bytes.as_slices();
        let bytes = match older.get(skipped..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => newer
                .get(skipped.saturating_sub(older.len())..)
                .unwrap_or_default(),
        };
        (position, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(history: &History, mut at: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let (from, part) = history.from(at);
            if part.is_empty() {
                return bytes;
            }
            bytes.extend(part);
            at = from + part.len() as u64;
        }
    }

    #[test]
    fn a_reader_goes_on_where_it_was() {
        let mut history = History::default();
        history.push(b"boot ");
        history.push(b"login:");
        assert_eq!(all(&history, 0), b"boot login:");
        assert_eq!(all(&history, 5), b"login:");
        assert!(all(&history, 11).is_empty());
    }

    #[test]
    fn the_oldest_bytes_go_first_and_positions_stay_true() {
        let mut history = History::default();
        for round in 0..40u8 {
            history.push(&[round; 4000]);
        }
        assert_eq!(
            (history.start(), history.end()),
            (160_000 - 65_536, 160_000)
        );
        assert_eq!(all(&history, 0).len(), CAPACITY);
        assert_eq!(all(&history, 159_999), [39]);
        assert_eq!(all(&history, 155_999)[..2], [38, 39]);
    }

    #[test]
    fn a_burst_longer_than_the_history_keeps_its_end() {
        let mut history = History::default();
        history.push(b"old");
        let burst: Vec<u8> = (0..CAPACITY + 5).map(|at| at as u8).collect();
        history.push(&burst);
        assert_eq!(all(&history, 0), burst[5..]);
        assert_eq!(history.start(), 8);
    }
}
