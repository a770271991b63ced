//! The queues of a card: whatever lies in the guest's memory and comes over the cable, only frames that the driver may send and
//! that it can take pass, each is counted, and the card comes to rest.

use std::sync::Arc;

use wherry_devices::virtio::net::{HEADER, Link, Net, Settings, feature};

use super::cable::{Cable, Peer};
use super::driver::Driver;
use crate::Bytes;

const RECEIVE: usize = 0;
/// More than what a cable holds, and what the memory's rings hold, can ask for.
const MOST_TURNS: usize = 4096;

pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let choice = bytes.byte();
    let wanted = bytes
        .take(8)
        .iter()
        .fold(0, |all, byte| all << 8 | u64::from(*byte));
    let (cable, peer) = Cable::new(choice & 1 != 0);
    let link = Link::new(choice & 2 == 0).expect("an event");
    let settings = Settings {
        mac: [2, 0, 0, 0, 0, 1],
        mtu: (choice & 4 != 0).then_some(1450),
    };
    let mut card = Net::new(settings, Arc::new(cable), None, link.clone());
    let Some(driver) = Driver::start(&mut card, wanted, &mut bytes) else {
        return;
    };
    let mut desk = Desk {
        driver,
        peer,
        link,
        seen: Seen::of(&card),
    };
    while !bytes.is_empty() {
        desk.step(&card, &mut bytes);
    }
    desk.driver.finish();
    desk.peer.hang_up();
    desk.rest();
    desk.peer.take(desk.driver.features);
    let seen = Seen::of(&card);
    assert_eq!(desk.peer.taken, (seen.sent, seen.sent_bytes));
}

/// A card with all that is around it.
struct Desk {
    driver: Driver,
    peer: Peer,
    link: Link,
    seen: Seen,
}

impl Desk {
    fn step(&mut self, card: &Net, bytes: &mut Bytes<'_>) {
        let was_up = self.link.is_up();
        let before = self.driver.device.positions();
        let mut arrived = None;
        match bytes.byte() % 8 {
            0 => self.link.set(bytes.byte() & 1 != 0),
            1 => self.peer.take(self.driver.features),
            2 => self.driver.device.pause(),
            3 | 4 => arrived = self.peer.send(bytes),
            _ => self.driver.step(bytes),
        }
        self.rest();
        let now = Seen::of(card);
        if !was_up && !self.link.is_up() {
            assert_eq!(
                (now.sent, now.received),
                (self.seen.sent, self.seen.received)
            );
        }
        assert!(
            now.received + now.lost <= self.peer.sent,
            "one from nowhere"
        );
        let nothing_waited = self.seen.received + self.seen.lost + 1 == self.peer.sent;
        if let Some(header) =
            arrived.filter(|_| nothing_waited && now.received > self.seen.received)
        {
            self.check_delivery(header, &before);
        }
        self.seen = now;
    }

    /// The driver was given this one frame.
    fn check_delivery(&self, header: [u8; HEADER], before: &[(u16, u16)]) {
        let features = self.driver.features;
        assert!(takes(header, features), "{header:?} with {features:#x}");
        let after = self.driver.device.positions();
        let buffers = after[RECEIVE].1.wrapping_sub(before[RECEIVE].1);
        let most = if features & feature::MRG_RXBUF != 0 {
            128
        } else {
            1
        };
        assert!((1..=most).contains(&buffers), "{buffers} buffers");
    }

    /// Turns until nothing wakes the card any more. Then whatever it has taken of a ring it has given back.
    fn rest(&mut self) {
        let device = &mut self.driver.device;
        let turns = (0..MOST_TURNS).take_while(|_| device.turn()).count();
        assert!(turns < MOST_TURNS, "it does not come to rest");
        if !device.is_broken() {
            for (taken, given_back) in device.positions() {
                assert_eq!(taken, given_back);
            }
        }
    }
}

/// What the card has counted.
struct Seen {
    received: u64,
    lost: u64,
    sent: u64,
    sent_bytes: u64,
}

impl Seen {
    fn of(card: &Net) -> Seen {
        use wherry_devices::virtio::VirtioDevice;
        let counters = card.counters();
        let count = |name| {
            counters
                .iter()
                .find(|it| it.0 == name)
                .expect("a counter")
                .1
        };
        Seen {
            received: count("rxPackets"),
            lost: count("rxDropped"),
            sent: count("txPackets"),
            sent_bytes: count("txBytes"),
        }
    }
}

/// Whether a driver with these features takes frames with this header (virtio 1.2, 5.1.6.4).
fn takes(header: [u8; HEADER], features: u64) -> bool {
    let has = |wanted: u64| features & wanted != 0;
    let sum = header[0] & 1 == 0 || has(feature::GUEST_CSUM);
    let marks = header[1] & 0x80 == 0 || has(feature::GUEST_ECN);
    sum && match header[1] & 0x7f {
        0 => header[1] == 0,
        1 => marks && has(feature::GUEST_TSO4),
        4 => marks && has(feature::GUEST_TSO6),
        5 => marks && has(feature::GUEST_USO4 | feature::GUEST_USO6),
        _ => false,
    }
}
