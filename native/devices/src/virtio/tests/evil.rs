//! A driver that does whatever comes to its mind. Devices may refuse or ignore all of it; they may not fall over, and work for
//! the next driver.

use std::fs::File;

use vm_memory::{Bytes, GuestAddress, GuestAddressSpace};

use super::{DISK_BYTES, VirtioDevice, card, disk, rng};
use crate::pci::PciFunction;
use crate::testing::dice::Dice;
use crate::testing::driver::{BAR, BUFFERS, Buffer, Driver, MEMORY};
use crate::virtio::F_EVENT_IDX;

const STEPS: u32 = 1000;
const SEEDS: u64 = 40;
/// Where the driver puts the rings of queue 0, and how far from them those of the next.
const RINGS: u64 = 0x1_0000;
const RINGS_BYTES: u64 = 0x1_0000;
const BAR_BYTES: u64 = 0x6000;

struct Evil {
    driver: Driver,
    dice: Dice,
    queues: u64,
    /// The queue that it is busy with.
    queue: u64,
    /// Numbers that this device may make something of.
    words: &'static [u64],
}

impl Evil {
    fn new(device: Box<dyn VirtioDevice>, seed: u64, words: &'static [u64]) -> Evil {
        let queues = device.queue_sizes().len() as u64;
        let mut driver = Driver::new(device);
        driver.start(F_EVENT_IDX);
        Evil {
            driver,
            dice: Dice::new(seed),
            queues,
            queue: 0,
            words,
        }
    }

    fn rage(&mut self) {
        for _ in 0..STEPS {
            self.step();
        }
    }

    fn step(&mut self) {
        self.queue = self.dice.below(self.queues);
        match self.dice.below(40) {
            0 => self.write_register(),
            1 => self.write_configuration(),
            2 => self.write_anywhere(),
            3 => {
                let status = self.dice.roll() as u8;
                self.poke(0x14, &[status]);
            }
            4 => self.start(),
            5 => {
                self.driver.function.pause();
                self.driver.function.resume();
            }
            6..10 => self.describe(),
            10..13 => self.offer(),
            13..30 => self.request(),
            30..32 => self.fill(),
            _ => {
                let queue = self.dice.below(3).to_le_bytes();
                let at = 0x3000 + self.dice.below(4) * 4;
                self.poke(at, &queue[..2]);
            }
        }
    }

    /// What it has mapped away is not reached.
    fn poke(&mut self, offset: u64, data: &[u8]) {
        self.driver.function.write_memory(BAR + offset, data);
    }

    /// As a sound driver would, but for the features and sizes.
    fn start(&mut self) {
        let features = if self.dice.below(3) == 0 {
            self.dice.roll()
        } else {
            self.words[0]
        };
        self.poke(0x14, &[0]);
        self.poke(0x14, &[3]);
        for half in 0..2u32 {
            self.poke(0x08, &half.to_le_bytes());
            let bits = ((features | 1 << 32) >> (32 * half)) as u32;
            self.poke(0x0c, &bits.to_le_bytes());
        }
        self.poke(0x14, &[0x0b]);
        for queue in 0..self.queues {
            let at = rings(queue);
            self.driver.fill(at + 0x4000, &[0; 0x8000]);
            self.poke(0x16, &(queue as u16).to_le_bytes());
            let size = 1u16 << self.dice.below(10);
            self.poke(0x18, &size.to_le_bytes());
            for (register, at) in [(0x20, at), (0x28, at + 0x4000), (0x30, at + 0x8000)] {
                self.poke(register, &at.to_le_bytes());
            }
            self.poke(0x1c, &[1, 0]);
        }
        self.poke(0x14, &[0x0f]);
    }

    fn write_register(&mut self) {
        let offset = self.dice.below(0x40);
        let length = self.dice.pick(&[1, 2, 4, 8]);
        let value = self.number();
        self.poke(offset, &value.to_le_bytes()[..length]);
    }

    fn write_configuration(&mut self) {
        let offset = self.dice.below(0x120) as u16;
        let length = self.dice.pick(&[1, 2, 4]);
        let value = self.number().to_le_bytes();
        self.driver.function.write_config(offset, &value[..length]);
        // And mostly back where it can be reached.
        if self.dice.below(4) > 0 {
            self.driver.map();
        }
    }

    fn write_anywhere(&mut self) {
        let offset = self.dice.below(BAR_BYTES);
        let length = self.dice.pick(&[0, 1, 2, 3, 4, 8]);
        let value = self.number().to_le_bytes();
        self.poke(offset, &value[..length]);
        let mut read = [0; 8];
        let function = &mut self.driver.function;
        function.read_memory(BAR + offset, &mut read[..length]);
    }

    fn describe(&mut self) {
        let buffer = Buffer {
            address: self.address(),
            length: self
                .dice
                .pick(&[0, 1, 15, 16, 20, 512, 513, 4096, 1 << 20, u32::MAX]),
            writable: false,
        };
        let number = self.dice.below(12) as u16;
        // Mostly what a sound driver has: readable or writable, with a next one.
        let flags = match self.dice.below(8) {
            0 => self.dice.roll() as u16,
            1 => 4,
            _ => self.dice.below(4) as u16,
        };
        let next = match self.dice.below(8) {
            0 => self.dice.roll() as u16,
            _ => self.dice.below(12) as u16,
        };
        let driver = &self.driver;
        driver.write_descriptor(self.queue as usize, number, buffer, flags, next);
    }

    /// Almost what a sound driver sends: a header, data, a status; now and then one of them is not what it should be.
    fn request(&mut self) {
        let header = BUFFERS + self.dice.below(64) * 16;
        let kind = self.dice.pick(self.words) as u32;
        let sector = self.number();
        self.driver.fill(header, &u64::from(kind).to_le_bytes());
        self.driver.fill(header + 8, &sector.to_le_bytes());
        let first = self.dice.below(8) as u16;
        let count = 2 + self.dice.below(4) as u16;
        let to_device = self.dice.below(2);
        for index in 0..count {
            if self.dice.below(16) == 0 {
                self.describe();
                continue;
            }
            let last = index + 1 == count;
            let address = if index == 0 { header } else { self.address() };
            let length = match (index, last) {
                (0, _) => 16,
                (_, true) => 1,
                _ => self.dice.pick(&[16, 20, 512, 1024, 4096]),
            };
            let flags = u16::from(!last)
                | if index > 0 && (last || to_device == 0) {
                    2
                } else {
                    0
                };
            let data = buffer(address, length, false);
            let number = first + index;
            let driver = &self.driver;
            driver.write_descriptor(self.queue as usize, number, data, flags, number + 1);
        }
        self.make_available(first);
        self.poke(0x3000 + self.queue * 4, &[0, 0]);
    }

    fn offer(&mut self) {
        let head = match self.dice.below(10) {
            0 => self.dice.roll() as u16,
            _ => self.dice.below(12) as u16,
        };
        self.make_available(head);
        if self.dice.below(10) == 0 {
            let index = self.dice.roll() as u16;
            self.driver.set_available_index(self.queue as usize, index);
        }
    }

    /// In a ring of any size that it may have now.
    fn make_available(&mut self, head: u16) {
        let at = rings(self.queue) + 0x4000;
        let ram = self.driver.memory.memory();
        let index: u16 = ram.read_obj(GuestAddress(at + 2)).unwrap();
        for size in (0..10).map(|bits| 1u16 << bits) {
            let slot = at + 4 + u64::from(index % size) * 2;
            ram.write_obj(head, GuestAddress(slot)).unwrap();
        }
        let next = index.wrapping_add(1);
        self.driver.set_available_index(self.queue as usize, next);
    }

    /// Words that the device may take for headers, tables or rings.
    fn fill(&mut self) {
        let at = self.address() & 0xf_fff8 | BUFFERS;
        for index in 0..8 {
            let word = self.number();
            self.driver.fill(at + index * 8, &word.to_le_bytes());
        }
    }

    fn address(&mut self) -> u64 {
        match self.dice.below(10) {
            0 => self.dice.roll(),
            1 => MEMORY - self.dice.below(32),
            2 => u64::MAX - self.dice.below(32),
            3 => RINGS + self.dice.below(2 * RINGS_BYTES),
            _ => BUFFERS + self.dice.below(64) * 16,
        }
    }

    fn number(&mut self) -> u64 {
        match self.dice.below(4) {
            0 => self.dice.roll(),
            1 => 1 << self.dice.below(64),
            2 => self.dice.below(4),
            _ => self.dice.pick(self.words),
        }
    }

    /// The machine is reset, and a sound driver comes.
    fn calm(mut self) -> Driver {
        self.driver.function.reset();
        self.driver.map();
        self.driver.start(0);
        self.driver
    }
}

fn rings(queue: u64) -> u64 {
    RINGS + queue * RINGS_BYTES
}

fn buffer(address: u64, length: u32, writable: bool) -> Buffer {
    Buffer {
        address,
        length,
        writable,
    }
}

#[test]
fn entropy_comes_whatever_was_before() {
    for seed in 0..SEEDS {
        let mut evil = Evil::new(rng(), seed, &[F_EVENT_IDX, 0x1000]);
        evil.rage();
        let mut driver = evil.calm();
        assert_eq!(driver.request(0, &[buffer(BUFFERS, 64, true)]), 64);
    }
}

/// Types of requests, sectors around the end, and all features.
const OF_DISKS: &[u64] = &[
    0x2000_6a40,
    0,
    1,
    4,
    8,
    11,
    13,
    DISK_BYTES / 512 - 1,
    DISK_BYTES / 512,
    u64::MAX / 512,
];

#[test]
fn disks_keep_their_bounds_and_work_whatever_was_before() {
    let mut done = 0;
    for seed in 0..SEEDS {
        let (device, file) = disk();
        let mut evil = Evil::new(device, seed, OF_DISKS);
        evil.rage();
        assert_eq!(length(&file), DISK_BYTES);
        let mut driver = evil.calm();
        let counters = driver.function.counters();
        let of = |name| counters.iter().find(|(known, _)| *known == name);
        done += of("reads")
            .zip(of("writes"))
            .map_or(0, |(reads, writes)| reads.1 + writes.1);
        driver.fill(BUFFERS, &[0; 16]);
        let request = [
            buffer(BUFFERS, 16, false),
            buffer(BUFFERS + 512, 512, true),
            buffer(BUFFERS + 16, 1, true),
        ];
        assert_eq!(driver.request(0, &request), 513);
    }
    // Else it had done no evil.
    assert!(done > SEEDS);
}

fn length(file: &File) -> u64 {
    file.metadata().unwrap().len()
}

/// The header's flags and kinds of segmentation, and all features.
const OF_CARDS: &[u64] = &[0x3002_f9a3_0001_a9a3, 0, 1, 3, 4, 5, 0x80, 1514, 65550];

#[test]
fn cards_carry_frames_whatever_was_before() {
    for seed in 0..SEEDS / 4 {
        let (device, peer) = card();
        let mut evil = Evil::new(device, seed, OF_CARDS);
        for round in 0..4u64 {
            evil.rage();
            // Some are taken, some find no room; what the driver sent is for nobody.
            let frame = evil.dice.bytes(12 + 60 * round as usize);
            let _ = rustix::io::write(&peer, &frame);
            drain(&peer);
        }
        let mut driver = evil.calm();
        drain(&peer);
        driver.fill(BUFFERS, &[0; 12]);
        driver.fill(BUFFERS + 12, &[7; 60]);
        driver.request(1, &[buffer(BUFFERS, 72, false)]);
        let mut sent = [0; 128];
        assert_eq!(rustix::io::read(&peer, &mut sent), Ok(72), "seed {seed}");
        assert_eq!(sent[12..72], [7; 60]);
    }
}

fn drain(peer: &std::os::fd::OwnedFd) {
    while rustix::io::read(peer, &mut [0; 1]).is_ok() {}
}
