use super::*;
use crate::testing::Apics;

const VECTOR: u64 = 0x31;

struct Fixture {
    ioapic: Arc<Mutex<IoApic>>,
    apics: Arc<Apics>,
}

impl Fixture {
    fn new() -> Fixture {
        let apics = Arc::new(Apics::default());
        let ioapic = Arc::new(Mutex::new(IoApic::new(apics.clone())));
        Fixture { ioapic, apics }
    }

    fn set(&self, register: u8, value: u32) {
        let mut ioapic = lock(&self.ioapic);
        ioapic.write(SELECT, &[register, 0, 0, 0]);
        ioapic.write(WINDOW, &value.to_le_bytes());
    }

    fn get(&self, register: u8) -> u32 {
        let mut ioapic = lock(&self.ioapic);
        ioapic.write(SELECT, &[register]);
        let mut data = [0; 4];
        ioapic.read(WINDOW, &mut data);
        u32::from_le_bytes(data)
    }

    fn program(&self, pin: u8, entry: u64) {
        self.set(FIRST_ENTRY + 2 * pin + 1, (entry >> 32) as u32);
        self.set(FIRST_ENTRY + 2 * pin, entry as u32);
    }

    fn wire(&self, pin: u8) -> Pin {
        Pin::new(self.ioapic.clone(), pin)
    }

    fn delivered(&self) -> usize {
        std::mem::take(&mut *lock(&self.apics.delivered)).len()
    }
}

#[test]
fn tells_its_version_and_pins() {
    let it = Fixture::new();
    assert_eq!(it.get(VERSION), 0x0017_0020);
    it.set(ID, 0x0500_0000);
    assert_eq!(it.get(ID), 0x0500_0000);
    assert_eq!(it.get(ARBITRATION), 0x0500_0000);
}

#[test]
fn every_pin_is_masked_at_first() {
    let it = Fixture::new();
    for pin in 0..PINS {
        it.wire(pin).pulse();
        assert_eq!(it.get(FIRST_ENTRY + 2 * pin), MASKED as u32);
    }
    assert_eq!(it.delivered(), 0);
}

#[test]
fn an_edge_is_delivered_once_where_its_entry_says() {
    let it = Fixture::new();
    it.program(4, VECTOR | 0x03 << 56);
    let wire = it.wire(4);
    wire.set_level(true);
    wire.set_level(true);
    let sent = std::mem::take(&mut *lock(&it.apics.delivered));
    assert_eq!(
        sent,
        [MsiMessage {
            address: 0xfee0_3000,
            data: 0x4031
        }]
    );
    wire.set_level(false);
    wire.set_level(true);
    assert_eq!(it.delivered(), 1);
}

#[test]
fn a_logical_and_an_extended_destination_reach_the_message() {
    let it = Fixture::new();
    it.program(4, VECTOR | 1 << 11 | 0x81 << 56 | 0x55 << 49);
    it.wire(4).pulse();
    assert_eq!(
        lock(&it.apics.delivered)[0].address,
        0xfee0_0000 | 0x81 << 12 | 0x55 << 5 | 4
    );
}

#[test]
fn a_level_comes_again_after_the_end_of_interrupt_while_the_wire_is_high() {
    let it = Fixture::new();
    it.program(9, VECTOR | LEVEL);
    let wire = it.wire(9);
    wire.set_level(true);
    wire.set_level(true);
    assert_eq!(it.delivered(), 1);
    assert_ne!(it.get(FIRST_ENTRY + 18) & REMOTE_IRR as u32, 0);
    lock(&it.ioapic).end_of_interrupt(0x30);
    assert_eq!(it.delivered(), 0);
    lock(&it.ioapic).end_of_interrupt(0x31);
    assert_eq!(it.delivered(), 1);
    wire.set_level(false);
    lock(&it.ioapic).write(END_OF_INTERRUPT, &[0x31, 0, 0, 0]);
    assert_eq!(it.delivered(), 0);
    assert_eq!(it.get(FIRST_ENTRY + 18) & REMOTE_IRR as u32, 0);
}

#[test]
fn a_masked_level_comes_when_it_is_unmasked_and_a_masked_edge_is_lost() {
    let it = Fixture::new();
    it.program(9, VECTOR | LEVEL | MASKED);
    it.program(4, VECTOR | MASKED);
    it.wire(9).set_level(true);
    it.wire(4).set_level(true);
    assert_eq!(it.delivered(), 0);
    it.program(9, VECTOR | LEVEL);
    it.program(4, VECTOR);
    assert_eq!(it.delivered(), 1);
}

#[test]
fn the_guest_cannot_write_what_is_read_only() {
    let it = Fixture::new();
    it.program(1, u64::MAX);
    let low = it.get(FIRST_ENTRY + 2);
    assert_eq!(u64::from(low) & READ_ONLY, 0);
    assert_eq!(it.get(FIRST_ENTRY + 3), 0xffff_0000);
    it.set(VERSION, 0);
    assert_eq!(it.get(VERSION), VERSION_VALUE);
}

#[test]
fn a_pin_made_edge_triggered_forgets_that_it_waits() {
    let it = Fixture::new();
    it.program(9, VECTOR | LEVEL);
    it.wire(9).set_level(true);
    it.program(9, VECTOR | MASKED);
    it.program(9, VECTOR | LEVEL);
    assert_eq!(it.delivered(), 2);
}

#[test]
fn kvm_hears_what_each_pin_says() {
    let it = Fixture::new();
    it.program(9, VECTOR | LEVEL);
    it.program(9, VECTOR | LEVEL | MASKED);
    let told = std::mem::take(&mut *lock(&it.apics.pins));
    let kinds: Vec<_> = told
        .iter()
        .map(|(pin, told)| (*pin, told.is_some()))
        .collect();
    // The upper half is written while the pin is masked.
    assert_eq!(kinds, [(9, false), (9, true), (9, true), (9, false)]);
    lock(&it.ioapic).reset();
    assert_eq!(lock(&it.apics.pins).len(), usize::from(PINS));
}

#[test]
fn registers_and_widths_that_do_not_exist_do_nothing() {
    let it = Fixture::new();
    for register in 0x40..=u8::MAX {
        it.set(register, u32::MAX);
        assert_eq!(it.get(register), 0);
    }
    let before = lock(&it.ioapic).state();
    let mut ioapic = lock(&it.ioapic);
    ioapic.write(WINDOW, &[1, 2]);
    ioapic.write(WINDOW, &[0; 8]);
    ioapic.write(0x20, &[1; 4]);
    ioapic.write(SELECT, &[]);
    let mut wide = [0xff; 8];
    ioapic.read(0x20, &mut wide);
    assert_eq!(wide, [0; 8]);
    assert_eq!(ioapic.state(), before);
}

#[test]
fn reset_masks_everything_and_keeps_the_wires() {
    let it = Fixture::new();
    it.program(9, VECTOR | LEVEL);
    it.wire(9).set_level(true);
    lock(&it.ioapic).reset();
    it.delivered();
    it.program(9, VECTOR | LEVEL);
    assert_eq!(it.delivered(), 1);
}
