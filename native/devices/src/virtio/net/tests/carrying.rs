use std::collections::VecDeque;

use super::*;
use crate::testing::dice::Dice;

#[test]
fn the_driver_reads_its_address_mtu_and_link() {
    let mut card = card(USUAL);
    assert_eq!(
        card.driver.config(0, 8),
        u64::from_le_bytes([2, 0, 0, 1, 2, 3, 1, 0])
    );
    assert_eq!(card.driver.config(8, 4), u64::from(1u32 | 1450 << 16));
    assert_eq!(card.driver.config(12, 8), 0);
    assert_eq!(card.driver.config(10, 8), 1450);
}

#[test]
fn only_what_is_there_is_offered() {
    let (wire, _peer) = socket_wire();
    let settings = Settings {
        mac: MAC,
        mtu: None,
    };
    let net = Net::new(settings, wire, None, Link::new(true).unwrap());
    assert_eq!(net.features() & feature::MTU, 0);
    assert_eq!(net.features() & USO, USO);
    assert_eq!(net.state(), DeviceState::Net(State { link_up: true }));
}

#[test]
fn the_tap_learns_what_the_driver_has_accepted() {
    let card = card(USUAL);
    let known = || (card.wire.features.load(Ordering::Relaxed) & ALWAYS == ALWAYS).then_some(());
    eventually(known);
}

#[test]
fn a_frame_leaves_however_it_was_cut() {
    let mut card = card(USUAL);
    let bytes = [&[0; HEADER][..], &frame(1, 100)].concat();
    card.driver.fill(OUT, &bytes);
    for cuts in [
        vec![],
        vec![12],
        vec![1],
        vec![5, 12, 13],
        vec![50, 50, 111],
    ] {
        let mut edges = vec![0];
        edges.extend(cuts);
        edges.push(bytes.len());
        let parts = edges.windows(2);
        let parts: Vec<_> = parts
            .map(|it| out(OUT + it[0] as u64, it[1] - it[0]))
            .collect();
        assert_eq!(card.driver.request(TRANSMIT, &parts), 0);
        assert_eq!(card.departed(), bytes);
    }
    assert_eq!(
        (card.counter("txPackets"), card.counter("txBytes")),
        (5, 500)
    );
    assert_eq!(card.counter("txDropped"), 0);
}

#[test]
fn a_frame_comes_in_one_buffer_with_its_header() {
    let mut card = card(USUAL);
    card.offer(&[2000, 2000]);
    card.arrive(&frame(1, 60));
    card.arrive(&frame(2, 1500));
    for (index, length) in [(0, 60), (1, 1500)] {
        let (_, written) = card.driver.used(RECEIVE);
        assert_eq!(written as usize, HEADER + length);
        let bytes = card.room_bytes(index, HEADER + length);
        assert_eq!(bytes[..HEADER], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(bytes[HEADER..], frame(index as u8 + 1, length));
        assert_eq!(
            card.room_bytes(index, 2000)[HEADER + length..],
            vec![0; 2000 - HEADER - length]
        );
    }
    assert_eq!(
        (card.counter("rxPackets"), card.counter("rxBytes")),
        (2, 1560)
    );
}

#[test]
fn a_long_frame_is_spread_over_buffers_and_the_driver_sees_all_of_them_at_once() {
    let mut card = card(USUAL);
    card.offer(&[1000, 1000, 1000, 1000]);
    let vector = card.driver.vectors.get(RECEIVE + 1);
    vector.raised();
    card.arrive(&frame(7, 2500));
    let lengths: Vec<u32> = (0..3).map(|_| card.driver.used(RECEIVE).1).collect();
    assert_eq!(lengths, [1000, 1000, 512]);
    eventually(|| (vector.raised() == 1).then_some(()));
    let all: Vec<u8> = (0..3).flat_map(|it| card.room_bytes(it, 1000)).collect();
    assert_eq!(all[10..HEADER], [3, 0]);
    assert_eq!(all[HEADER..HEADER + 2500], frame(7, 2500));
    assert_eq!(card.driver.try_used(RECEIVE), None);
}

#[test]
fn frames_wait_for_buffers() {
    let mut card = card(USUAL);
    for number in 0..3 {
        card.arrive(&frame(number, 1500));
    }
    card.offer(&[1000]);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(card.driver.try_used(RECEIVE), None);
    card.driver.offer(RECEIVE, &[room(1, 1000)]);
    card.driver.notify(RECEIVE);
    assert_eq!(card.driver.used(RECEIVE).1, 1000);
    assert_eq!(card.driver.used(RECEIVE).1, 512);
    for number in 1..3 {
        card.driver.offer(RECEIVE, &[room(2, 2000)]);
        card.driver.notify(RECEIVE);
        assert_eq!(card.driver.used(RECEIVE).1, 1512);
        assert_eq!(card.room_bytes(2, 1512)[HEADER..], frame(number, 1500));
    }
    assert_eq!(card.counter("rxDropped"), 0);
}

#[test]
fn the_tap_is_left_alone_while_there_are_no_buffers() {
    let card = card(USUAL);
    card.arrive(&frame(0, 100));
    card.arrive(&frame(1, 100));
    std::thread::sleep(Duration::from_millis(20));
    let before = card.wire.touched.load(Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(card.wire.touched.load(Ordering::Relaxed), before);
}

#[test]
fn a_driver_that_merges_no_buffers_gets_what_fits_into_one() {
    let mut card = card(USUAL & !feature::MRG_RXBUF);
    card.offer(&[1000, 1000]);
    card.arrive(&frame(1, 1500));
    card.arrive(&frame(2, 500));
    assert_eq!(card.driver.used(RECEIVE), (0, 512));
    assert_eq!(card.room_bytes(0, 512)[10..HEADER], [1, 0]);
    assert_eq!(card.counter("rxDropped"), 1);
}

#[test]
fn a_tap_that_takes_no_more_holds_the_driver_up_and_loses_nothing() {
    let mut card = card(USUAL);
    let sent = 200u8;
    for number in 0..sent {
        let at = OUT + u64::from(number) * 0x4000;
        let bytes = [&[0; HEADER][..], &frame(number, 9000)].concat();
        card.driver.fill(at, &bytes);
        card.driver.offer(TRANSMIT, &[out(at, bytes.len())]);
    }
    card.driver.notify(TRANSMIT);
    let mut used = 0;
    eventually(|| card.driver.try_used(TRANSMIT).map(|_| used += 1));
    std::thread::sleep(Duration::from_millis(50));
    used += std::iter::from_fn(|| card.driver.try_used(TRANSMIT)).count();
    assert!(
        used < usize::from(sent),
        "the socket holds them all: this proves nothing"
    );
    for number in 0..sent {
        assert_eq!(card.departed()[HEADER..], frame(number, 9000), "{number}");
    }
    (used..usize::from(sent)).for_each(|_| assert_eq!(card.driver.used(TRANSMIT).1, 0));
    assert_eq!(card.counter("txDropped"), 0);
}

#[test]
fn a_pause_loses_nothing() {
    let mut card = card(USUAL);
    card.offer(&[1000]);
    card.arrive(&frame(1, 1500));
    std::thread::sleep(Duration::from_millis(20));
    card.driver.function.pause();
    card.arrive(&frame(2, 500));
    let bytes = [&[0; HEADER][..], &frame(3, 100)].concat();
    card.driver.fill(OUT, &bytes);
    card.driver.offer(TRANSMIT, &[out(OUT, bytes.len())]);
    card.driver.offer(RECEIVE, &[room(1, 1000)]);
    card.driver.offer(RECEIVE, &[room(2, 1000)]);
    assert_eq!(card.driver.try_used(RECEIVE), None);
    assert_eq!(card.try_departed(), None);
    card.driver.function.resume();
    let lengths: Vec<u32> = (0..3).map(|_| card.driver.used(RECEIVE).1).collect();
    assert_eq!(lengths, [1000, 512, 512]);
    assert_eq!(card.departed(), bytes);
}

#[test]
fn a_driver_that_starts_again_finds_a_card_that_works() {
    let mut card = card(USUAL);
    card.arrive(&frame(1, 100));
    card.driver.start(USUAL & !feature::MRG_RXBUF);
    card.offer(&[2000]);
    card.arrive(&frame(2, 200));
    // What the former driver's worker held is gone with it, or was not yet read.
    let (_, written) = card.driver.used(RECEIVE);
    assert!([112, 212].contains(&written), "{written}");
    card.send([0; HEADER], &frame(3, 300));
    assert_eq!(card.departed()[HEADER..], frame(3, 300));
}

/// Frames of any length in buffers of any length, both ways at once: each arrives, once, in order and whole.
#[test]
fn whatever_the_layout_frames_arrive_whole_and_in_order() {
    let mut dice = Dice::new(5);
    for features in [USUAL, USUAL & !F_EVENT_IDX] {
        let mut card = card(features);
        let mut coming: VecDeque<Vec<u8>> = VecDeque::new();
        let mut rooms: VecDeque<(u16, u64, u32)> = VecDeque::new();
        let mut arrived = 0;
        let mut number = 0u8;
        let mut places = (0..128u64).cycle();
        while arrived < 400 {
            if coming.len() < 8 && dice.one_in(2) {
                number = number.wrapping_add(1);
                let length = 1 + dice.below(3000) as usize;
                card.arrive(&frame(number, length));
                coming.push_back(frame(number, length));
            }
            if rooms.len() < 100 {
                let length = 13 + dice.below(1200) as u32;
                let address = BUFFERS + places.next().unwrap() * 0x1000;
                // In one descriptor or two.
                let cut = 1 + dice.below(u64::from(length) - 1) as u32;
                let whole = Buffer {
                    address,
                    length,
                    writable: true,
                };
                let parts = [
                    Buffer {
                        length: cut,
                        ..whole
                    },
                    Buffer {
                        address: address + u64::from(cut),
                        length: length - cut,
                        ..whole
                    },
                ];
                let parts = if dice.one_in(2) { &parts[..] } else { &[whole] };
                let head = card.driver.offer(RECEIVE, parts);
                rooms.push_back((head, address, length));
                card.driver.notify(RECEIVE);
            }
            arrived += usize::from(take(&mut card, &mut coming, &mut rooms));
        }
        assert_eq!(card.counter("rxDropped"), 0);
    }
}

/// One frame out of the driver's buffers, if there is one.
fn take(
    card: &mut Card,
    coming: &mut VecDeque<Vec<u8>>,
    rooms: &mut VecDeque<(u16, u64, u32)>,
) -> bool {
    let Some(first) = card.driver.try_used(RECEIVE) else {
        return false;
    };
    let mut bytes = Vec::new();
    let mut used = vec![first];
    let mut at = 0;
    while at < used.len() {
        let (head, address, _) = rooms.pop_front().unwrap();
        assert_eq!(head, used[at].0);
        bytes.extend(card.driver.bytes(address, used[at].1 as usize));
        at += 1;
        let count = u16::from_le_bytes([bytes[10], bytes[11]]);
        if at < usize::from(count) {
            let next = card.driver.try_used(RECEIVE);
            used.push(next.expect("the parts of a frame are there at once"));
        }
    }
    assert_eq!(bytes[HEADER..], coming.pop_front().unwrap());
    true
}
