use super::*;
use crate::bus::lock;
use crate::testing::driver::{BAR, BUFFERS, Buffer, Driver};
use crate::virtio::rng::Rng;

fn writable(length: u32) -> Buffer {
    Buffer {
        address: BUFFERS,
        length,
        writable: true,
    }
}

fn driver() -> Driver {
    Driver::new(Box::new(Rng::default()))
}

#[test]
fn the_structures_are_found_by_their_capabilities() {
    let mut driver = driver();
    let mut byte = |offset: u16| {
        let mut data = [0];
        driver.function.read_config(offset, &mut data);
        data[0]
    };
    let mut at = u16::from(byte(0x34));
    let mut kinds = Vec::new();
    while at != 0 {
        if byte(at) == 9 {
            kinds.push(byte(at + 3));
        }
        at = u16::from(byte(at + 1));
    }
    assert_eq!(kinds, [1, 2, 3, 4, 5]);
}

#[test]
fn features_are_offered_in_halves() {
    let mut driver = driver();
    let mut half = |select: u32| {
        driver.write(0, &select.to_le_bytes());
        driver.read(4, 4)
    };
    assert_eq!(half(1), 1);
    assert_eq!(half(0), F_EVENT_IDX | F_INDIRECT_DESC);
    assert_eq!(half(2), 0);
}

#[test]
fn features_that_were_not_offered_are_refused() {
    for (half, bits) in [(0u32, 1u32), (1, 3), (1, 0)] {
        let mut driver = driver();
        driver.set_status(3);
        driver.write(0x08, &1u32.to_le_bytes());
        driver.write(0x0c, &1u32.to_le_bytes());
        driver.write(0x08, &half.to_le_bytes());
        driver.write(0x0c, &bits.to_le_bytes());
        driver.set_status(0x0b);
        assert_eq!(driver.status(), 3, "half {half} {bits:#x}");
    }
}

#[test]
fn a_request_is_served_with_and_without_event_indices() {
    for features in [0, F_EVENT_IDX] {
        let mut driver = driver();
        driver.start(features);
        for _ in 0..200 {
            assert_eq!(driver.request(0, &[writable(32)]), 32);
        }
        assert!(driver.bytes(BUFFERS, 32).iter().any(|byte| *byte != 0));
        // Its interrupt is raised after the used ring was written.
        while driver.vectors.get(1).raised() == 0 {}
        assert_eq!(driver.vectors.get(0).raised(), 0);
    }
}

#[test]
fn doorbells_follow_the_bar() {
    let mut driver = driver();
    let bells = |driver: &Driver| lock(&driver.bells.0).clone();
    assert_eq!(bells(&driver), [BAR + 0x3000]);
    driver.function.write_config(COMMAND, &[0, 0]);
    assert!(bells(&driver).is_empty());
    let moved = BAR + 0x8000;
    driver
        .function
        .write_config(BAR_0, &(moved as u32).to_le_bytes());
    driver.function.write_config(COMMAND, &[2, 0]);
    assert_eq!(bells(&driver), [moved + 0x3000]);
    let mut data = [0; 2];
    assert!(!driver.function.read_memory(BAR + 0x12, &mut data));
    assert!(driver.function.read_memory(moved + 0x12, &mut data));
    assert_eq!(data, [1, 0]);
}

#[test]
fn a_bar_is_decoded_only_within_a_window_wherever_it_is_moved() {
    let mut driver = driver();
    for shift in 15..64u32 {
        for base in [1u64 << shift, (1u64 << shift).wrapping_sub(0x8000)] {
            driver
                .function
                .write_config(BAR_0, &(base as u32).to_le_bytes());
            let upper = ((base >> 32) as u32).to_le_bytes();
            driver.function.write_config(BAR_0 + 4, &upper);
            let inside = base >= BAR && base.checked_add(0x8000).is_some_and(|end| end <= BAR << 1);
            let mut data = [0; 4];
            let answered = driver.function.read_memory(base, &mut data);
            assert_eq!(answered, inside, "{base:#x}");
            assert_eq!(lock(&driver.bells.0).len(), usize::from(inside));
        }
    }
}

#[test]
fn a_reset_by_the_driver_starts_again() {
    let mut driver = driver();
    driver.start(0);
    driver.request(0, &[writable(8)]);
    driver.set_status(0);
    assert_eq!(driver.status(), 0);
    assert_eq!(driver.read(0x1a, 2), 0xffff);
    assert_eq!(driver.read(0x1c, 2), 0);
    driver.start(F_EVENT_IDX);
    assert_eq!(driver.request(0, &[writable(8)]), 8);
}

#[test]
fn a_reset_of_the_machine_forgets_the_bar_as_well() {
    let mut driver = driver();
    driver.start(0);
    driver.function.reset();
    let mut data = [0; 4];
    assert!(!driver.function.read_memory(BAR, &mut data));
    assert!(lock(&driver.bells.0).is_empty());
}

#[test]
fn what_came_during_a_pause_is_served_after_it() {
    let mut driver = driver();
    driver.start(F_EVENT_IDX);
    driver.request(0, &[writable(8)]);
    driver.function.pause();
    driver.offer(0, &[writable(8)]);
    driver.notify(0);
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(driver.try_used(0), None);
    driver.function.resume();
    assert_eq!(driver.used(0).1, 8);
}

#[test]
fn a_pause_of_a_device_that_does_nothing_changes_nothing() {
    let mut driver = driver();
    driver.function.pause();
    driver.function.resume();
    driver.start(0);
    driver.function.pause();
    driver.set_status(0);
    driver.function.resume();
    driver.start(0);
    assert_eq!(driver.request(0, &[writable(4)]), 4);
}

#[test]
fn rings_outside_memory_are_refused() {
    for (register, address) in [
        (0x20u64, u32::MAX - 15),
        (0x28, 0xff_fff0),
        (0x30, 0x1000_0000),
    ] {
        let mut driver = driver();
        driver.set_up(0);
        driver.set_status(0);
        driver.set_status(3);
        driver.write(0x08, &1u32.to_le_bytes());
        driver.write(0x0c, &1u32.to_le_bytes());
        driver.set_status(0x0b);
        for good in [0x20u64, 0x28, 0x30] {
            driver.write(good, &0x1_0000u32.to_le_bytes());
        }
        driver.write(register, &address.to_le_bytes());
        driver.write(0x1c, &1u16.to_le_bytes());
        driver.set_status(0x0f);
        driver.wait_for_needs_reset();
    }
}

#[test]
fn a_live_queue_cannot_be_changed() {
    let mut driver = driver();
    driver.start(0);
    for (register, value) in [
        (0x18u64, vec![2, 0]),
        (0x20, vec![0; 4]),
        (0x1c, vec![0, 0]),
    ] {
        driver.write(register, &value);
    }
    assert_eq!(driver.read(0x18, 2), 64);
    assert_eq!(driver.read(0x1c, 2), 1);
    assert_eq!(driver.request(0, &[writable(4)]), 4);
}

#[test]
fn sizes_and_vectors_that_do_not_exist_are_not_taken() {
    let mut driver = driver();
    for size in [0u16, 3, 128, 0xffff] {
        driver.write(0x18, &size.to_le_bytes());
        assert_eq!(driver.read(0x18, 2), 64);
    }
    driver.write(0x18, &16u16.to_le_bytes());
    assert_eq!(driver.read(0x18, 2), 16);
    for register in [0x10, 0x1a] {
        driver.write(register, &2u16.to_le_bytes());
        assert_eq!(driver.read(register, 2), 0xffff);
        driver.write(register, &1u16.to_le_bytes());
        assert_eq!(driver.read(register, 2), 1);
    }
    driver.write(0x16, &7u16.to_le_bytes());
    for register in [0x18, 0x1c, 0x20, 0x28, 0x30] {
        driver.write(register, &[1, 0]);
        driver.write(register, &[1, 0, 0, 0]);
        assert_eq!(driver.read(register, 2), 0);
    }
}

/// Every offset of the BAR with every width: nothing panics, and what is not known reads as zeros.
#[test]
fn odd_accesses_do_no_harm() {
    let mut driver = driver();
    for offset in (0..layout::BAR_SIZE).step_by(1) {
        for length in [1, 2, 3, 4, 8] {
            let mut data = vec![0xff; length];
            driver.function.read_memory(BAR + offset, &mut data);
            driver.function.write_memory(BAR + offset, &vec![0; length]);
        }
    }
    driver.start(0);
    assert_eq!(driver.request(0, &[writable(4)]), 4);
}

#[test]
fn the_window_in_the_configuration_space_reaches_the_bar() {
    let mut driver = driver();
    let window = driver.function.places.window;
    driver
        .function
        .write_config(window + 8, &0x12u32.to_le_bytes());
    driver
        .function
        .write_config(window + 12, &2u32.to_le_bytes());
    let mut data = [0; 2];
    driver.function.read_config(window + 16, &mut data);
    assert_eq!(data, [1, 0]);
    driver
        .function
        .write_config(window + 8, &0x14u32.to_le_bytes());
    driver
        .function
        .write_config(window + 12, &1u32.to_le_bytes());
    driver.function.write_config(window + 16, &[1]);
    assert_eq!(driver.status(), 1);
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.roll(256) as u8).collect()
    }
}

#[test]
fn an_evil_driver_harms_only_itself() {
    for seed in 0..8 {
        let mut dice = Dice(seed);
        let mut driver = driver();
        driver.start(F_EVENT_IDX);
        for _ in 0..3000 {
            let length = [1, 2, 4, 8][dice.roll(4) as usize];
            let data = dice.bytes(length);
            match dice.roll(8) {
                0 => driver.function.write_config(dice.roll(256) as u16, &data),
                1 => {
                    let offset = dice.roll(256) as u16;
                    driver.function.read_config(offset, &mut data.clone());
                }
                2 | 3 => {
                    driver.function.write_memory(BAR + dice.roll(0x6000), &data);
                }
                4 | 5 => driver.fill(0x1_0000 + dice.roll(0x1_0000), &data),
                6 => {
                    driver.function.write_memory(BAR + 0x3000, &[0, 0]);
                }
                _ => {
                    driver.function.pause();
                    driver.function.resume();
                }
            }
        }
        // After a reset of the machine it works as on the first day.
        driver.function.reset();
        driver.map();
        driver.start(0);
        assert_eq!(driver.request(0, &[writable(16)]), 16, "seed {seed}");
    }
}
