//! What a card has carried, as its guest sees it.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Default)]
pub struct Counters {
    pub received: Direction,
    pub transmitted: Direction,
}

#[derive(Default)]
pub struct Direction {
    packets: AtomicU64,
    /// Without headers of virtio.
    bytes: AtomicU64,
    dropped: AtomicU64,
}

impl Direction {
    pub fn carried(&self, bytes: usize) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn dropped(&self, packets: usize) {
        self.dropped.fetch_add(packets as u64, Ordering::Relaxed);
    }
}

impl Counters {
    pub fn list(&self) -> Vec<(&'static str, u64)> {
        let (rx, tx) = (&self.received, &self.transmitted);
        [
            ("rxPackets", &rx.packets),
            ("rxBytes", &rx.bytes),
            ("rxDropped", &rx.dropped),
            ("txPackets", &tx.packets),
            ("txBytes", &tx.bytes),
            ("txDropped", &tx.dropped),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
        .to_vec()
    }
}
