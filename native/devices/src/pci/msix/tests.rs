use super::*;
use crate::testing::Vectors;

const MESSAGE: MsiMessage = MsiMessage {
    address: 0xfee0_1000,
    data: 0x4041,
};

fn msix(count: u16) -> (Msix, Vectors) {
    let vectors = Vectors::default();
    (Msix::new(count, &vectors).unwrap(), vectors)
}

fn program(msix: &mut Msix, index: u64, message: MsiMessage) {
    msix.write_table(index * 16, &message.address.to_le_bytes());
    msix.write_table(index * 16 + 8, &message.data.to_le_bytes());
}

fn mask(msix: &mut Msix, index: u64, masked: bool) {
    msix.write_table(index * 16 + 12, &u32::from(masked).to_le_bytes());
}

fn connected(vectors: &Vectors, index: usize) -> Option<MsiMessage> {
    vectors.get(index).connected()
}

fn pending(msix: &Msix) -> u8 {
    let mut bits = [0];
    msix.read_pending(0, &mut bits);
    bits[0]
}

#[test]
fn a_vector_is_connected_when_nothing_masks_it() {
    for (enabled, all, one) in [
        (true, false, false),
        (true, false, true),
        (true, true, false),
        (false, false, false),
    ] {
        let (mut msix, vectors) = msix(2);
        program(&mut msix, 1, MESSAGE);
        mask(&mut msix, 1, one);
        let control = if enabled { ENABLED } else { 0 } | if all { ALL_MASKED } else { 0 };
        msix.set_control(control);
        let open = enabled && !all && !one;
        assert_eq!(connected(&vectors, 1), open.then_some(MESSAGE));
        assert_eq!(connected(&vectors, 0), None);
    }
}

#[test]
fn a_message_changes_while_it_is_connected() {
    let (mut msix, vectors) = msix(1);
    msix.set_control(ENABLED);
    program(&mut msix, 0, MESSAGE);
    mask(&mut msix, 0, false);
    msix.write_table(8, &0x4099u32.to_le_bytes());
    assert_eq!(connected(&vectors, 0).unwrap().data, 0x4099);
    msix.set_control(0);
    assert_eq!(connected(&vectors, 0), None);
}

#[test]
fn what_is_raised_while_masked_is_pending() {
    let (mut msix, vectors) = msix(9);
    msix.set_control(ENABLED);
    msix.vectors()[3].event().write(1).unwrap();
    msix.vectors()[8].event().write(1).unwrap();
    assert_eq!(pending(&msix), 0b1000);
    let mut both = [0; 8];
    msix.read_pending(0, &mut both);
    assert_eq!(both, [8, 1, 0, 0, 0, 0, 0, 0]);
    mask(&mut msix, 3, false);
    assert_eq!(pending(&msix), 0);
    assert_eq!(vectors.get(3).raised(), 1);
}

#[test]
fn the_table_reads_as_written() {
    let (mut msix, _) = msix(2);
    program(&mut msix, 1, MESSAGE);
    mask(&mut msix, 1, true);
    let mut whole = [0; 16];
    msix.read_table(16, &mut whole);
    assert_eq!(
        u64::from_le_bytes(whole[..8].try_into().unwrap()),
        MESSAGE.address
    );
    let mut data = [0; 4];
    msix.read_table(24, &mut data);
    assert_eq!(u32::from_le_bytes(data), MESSAGE.data);
    msix.read_table(28, &mut data);
    assert_eq!(u32::from_le_bytes(data), MASKED);
}

#[test]
fn what_is_outside_or_odd_does_nothing() {
    let (mut msix, _) = msix(2);
    let before = msix.state().clone();
    for (offset, length) in [
        (32, 4),
        (u64::MAX - 3, 4),
        (1, 4),
        (4, 8),
        (0, 1),
        (0, 2),
        (0, 16),
    ] {
        msix.write_table(offset, &vec![0xff; length]);
        let mut data = vec![0xff; length];
        msix.read_table(offset, &mut data);
    }
    assert_eq!(*msix.state(), before);
    let mut bits = [0xff; 8];
    msix.read_pending(u64::MAX, &mut bits);
    assert_eq!(bits, [0; 8]);
}

#[test]
fn a_reset_disconnects_and_forgets() {
    let (mut msix, vectors) = msix(1);
    msix.set_control(ENABLED);
    program(&mut msix, 0, MESSAGE);
    mask(&mut msix, 0, false);
    msix.vectors()[0].event().write(1).unwrap();
    msix.reset();
    assert_eq!(connected(&vectors, 0), None);
    assert_eq!(pending(&msix), 0);
    assert_eq!(*msix.state(), initial(1));
}

#[test]
fn the_capability_says_where_things_are() {
    let (msix, _) = msix(3);
    assert_eq!(
        msix.capability(0x4000, 0x5000),
        [2, 0, 0, 0x40, 0, 0, 0, 0x50, 0, 0]
    );
}
