use vm_memory::{Bytes, GuestAddress, GuestAddressSpace};

use super::*;
use crate::testing::dice::Dice;
use crate::testing::driver::MEMORY;

/// The card still carries a frame.
fn works(card: &mut Card) {
    card.send([0; HEADER], &frame(99, 64));
    assert_eq!(card.departed()[HEADER..], frame(99, 64));
}

#[test]
fn frames_that_are_none_are_dropped() {
    let mut card = card(USUAL);
    let outside = u64::MAX - 100;
    let bad: [&[Buffer]; 8] = [
        &[out(OUT, 0)],
        &[out(OUT, 1)],
        &[out(OUT, HEADER - 1)],
        &[out(OUT, MAX_FRAME + 1)],
        &[out(OUT, HEADER), out(MEMORY, 64)],
        &[out(OUT, HEADER), out(outside, 200)],
        &[out(OUT, 0xffff_ffff)],
        &[room(0, 2000)],
    ];
    for buffers in bad {
        card.driver.request(TRANSMIT, buffers);
        assert_eq!(card.try_departed(), None, "{buffers:?}");
    }
    assert_eq!(card.counter("txDropped"), bad.len() as u64);
    works(&mut card);
}

#[test]
fn headers_that_lie_are_dropped_with_their_frames() {
    let mut card = card(USUAL);
    let segments = [1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0, 0, 0];
    card.send(segments, &frame(1, 5000));
    assert_eq!(card.departed()[..HEADER], segments);
    let mut beyond = segments;
    beyond[6..8].copy_from_slice(&4990u16.to_le_bytes());
    let mut unknown = segments;
    unknown[1] = 9;
    for header in [beyond, unknown] {
        card.send(header, &frame(1, 5000));
        assert_eq!(card.try_departed(), None);
    }
    works(&mut card);
}

#[test]
fn the_longest_frame_passes_both_ways() {
    let mut card = card(USUAL);
    let longest = MAX_FRAME - HEADER;
    card.send([0; HEADER], &frame(1, longest));
    assert_eq!(card.departed()[HEADER..], frame(1, longest));
    card.offer(&[0x1_0000, 0x1_0000]);
    card.arrive(&frame(2, longest));
    assert_eq!(card.driver.used(RECEIVE).1, 0x1_0000);
    assert_eq!(card.driver.used(RECEIVE).1 as usize, MAX_FRAME - 0x1_0000);
}

#[test]
fn a_driver_never_gets_what_it_did_not_accept() {
    let plain = F_EVENT_IDX | feature::MRG_RXBUF;
    let mut card = card(plain);
    card.offer(&[2000, 2000]);
    card.arrive_with([1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0, 0, 0], &frame(1, 1500));
    card.arrive_with([1, 0, 0, 0, 0, 0, 34, 0, 16, 0, 0, 0], &frame(2, 1500));
    card.arrive(&frame(3, 100));
    assert_eq!(card.driver.used(RECEIVE), (0, 112));
    assert_eq!(card.counter("rxDropped"), 2);
}

#[test]
fn buffers_that_hold_nothing_cost_a_frame_each_ring() {
    let mut card = card(USUAL);
    for _ in 0..QUEUE_SIZE {
        card.driver.offer(RECEIVE, &[room(0, 1)]);
    }
    card.driver.notify(RECEIVE);
    card.arrive(&frame(1, 1500));
    eventually(|| (card.counter("rxDropped") == 1).then_some(()));
    assert_eq!(card.driver.try_used(RECEIVE), None);
    // Those that there are hold a small one.
    card.arrive(&frame(2, 100));
    let (head, written) = card.driver.used(RECEIVE);
    assert_eq!((head, written), (0, 1));
    (1..112).for_each(|_| assert_eq!(card.driver.used(RECEIVE).1, 1));
    assert_eq!(card.driver.try_used(RECEIVE), None);
}

#[test]
fn buffers_outside_memory_are_given_back_empty() {
    let mut card = card(USUAL);
    let lost = Buffer {
        address: MEMORY,
        length: 2000,
        writable: true,
    };
    card.driver.offer(RECEIVE, &[lost]);
    card.driver.offer(
        RECEIVE,
        &[Buffer {
            writable: false,
            ..room(1, 2000)
        }],
    );
    card.offer(&[2000]);
    card.arrive(&frame(1, 100));
    let lengths: Vec<u32> = (0..3).map(|_| card.driver.used(RECEIVE).1).collect();
    assert_eq!(lengths, [0, 0, 112]);
    works(&mut card);
}

#[test]
fn a_broken_ring_stops_the_card_until_its_reset() {
    for queue in [RECEIVE, TRANSMIT] {
        let mut card = card(USUAL);
        card.arrive(&frame(1, 100));
        card.driver.set_available_index(queue, 1000);
        card.driver.notify(queue);
        card.driver.wait_for_needs_reset();
        card.driver.start(USUAL);
        works(&mut card);
    }
}

#[test]
fn a_driver_without_both_queues_gets_no_card() {
    let mut card = card(USUAL);
    card.driver.set_status(0);
    card.driver.set_status(3);
    for half in 0..2u32 {
        card.driver.write(0x08, &half.to_le_bytes());
        let accepted = (USUAL | 1 << 32) >> (32 * half);
        card.driver.write(0x0c, &(accepted as u32).to_le_bytes());
    }
    card.driver.set_status(0x0b);
    card.driver.set_status(0x0f);
    card.driver.wait_for_needs_reset();
}

/// Descriptors, rings and headers of random bytes, with frames coming in: the card lives, is stopped at once, and works after a
/// reset.
#[test]
fn nonsense_in_memory_harms_nobody() {
    const RINGS: u64 = 0x1_0000;
    let mut dice = Dice::new(11);
    let mut card = card(USUAL);
    for round in 0..60 {
        let ram = card.driver.memory.memory();
        for _ in 0..40 {
            let length = 1 + dice.below(64) as usize;
            let bytes = dice.bytes(length);
            // Descriptors, then rings, of either queue.
            let part = dice.pick(&[0, 0x4000, 0x8000]);
            let at = RINGS + dice.below(2) * 0x1_0000 + part + dice.below(0x200);
            ram.write_slice(&bytes, GuestAddress(at)).unwrap();
        }
        let peer = card.peer.as_ref().unwrap();
        let _ = rustix::io::write(peer, &dice.bytes(HEADER + 500));
        for queue in [RECEIVE, TRANSMIT] {
            card.driver.notify(queue);
        }
        if dice.one_in(3) {
            card.link.set(dice.one_in(2));
        }
        if dice.one_in(4) {
            card.driver.function.pause();
            card.driver.function.resume();
        }
        card.link.set(true);
        if round % 5 == 4 {
            while card.try_departed().is_some() {}
            card.driver.start(USUAL);
            while card.try_departed().is_some() {}
            works(&mut card);
        }
    }
}
