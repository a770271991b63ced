use super::*;

#[test]
fn the_driver_hears_of_its_link() {
    let mut card = card(USUAL);
    let vector = card.driver.vectors.get(0);
    let generation = card.driver.read(0x15, 1);
    card.link.set(false);
    assert_eq!(vector.raised(), 1);
    assert_eq!(card.driver.config(6, 2), 0);
    assert_ne!(card.driver.read(0x15, 1), generation);
    // Nothing new.
    card.link.set(false);
    assert_eq!(vector.raised(), 0);
    card.link.set(true);
    assert_eq!(vector.raised(), 1);
    assert_eq!(card.driver.config(6, 2), 1);
}

#[test]
fn a_driver_that_is_not_ready_hears_nothing_and_reads_it_later() {
    let mut card = card(USUAL);
    card.driver.set_up(USUAL);
    let vector = card.driver.vectors.get(0);
    vector.raised();
    card.link.set(false);
    assert_eq!(vector.raised(), 0);
    card.driver.set_status(0x0f);
    assert_eq!(card.driver.config(6, 2), 0);
}

#[test]
fn without_a_link_nothing_goes_out_and_nothing_comes_in() {
    let mut card = card(USUAL);
    card.offer(&[2000, 2000]);
    card.link.set(false);
    card.send([0; HEADER], &frame(1, 100));
    assert_eq!(card.try_departed(), None);
    assert_eq!(card.counter("txDropped"), 1);
    card.arrive(&frame(2, 100));
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(card.driver.try_used(RECEIVE), None);
    // Its queues still work.
    assert_eq!(card.driver.status(), 0x0f);
}

#[test]
fn what_came_while_there_was_no_link_is_gone() {
    let mut card = card(USUAL);
    // Held by the card, and waiting in the tap.
    card.arrive(&frame(1, 100));
    std::thread::sleep(Duration::from_millis(20));
    card.link.set(false);
    for number in 2..10 {
        card.arrive(&frame(number, 100));
    }
    card.link.set(true);
    eventually(|| (card.counter("rxDropped") == 9).then_some(()));
    card.offer(&[2000]);
    card.arrive(&frame(10, 100));
    card.driver.used(RECEIVE);
    assert_eq!(card.room_bytes(0, 112)[HEADER..], frame(10, 100));
}

#[test]
fn the_link_outlives_a_reset() {
    let mut card = card(USUAL);
    card.link.set(false);
    card.driver.start(USUAL);
    assert_eq!(card.driver.config(6, 2), 0);
    card.offer(&[2000]);
    card.link.set(true);
    card.send([0; HEADER], &frame(1, 100));
    assert_eq!(card.departed()[HEADER..], frame(1, 100));
}

#[test]
fn a_tap_that_is_gone_is_asked_no_more() {
    let mut card = card(USUAL);
    card.offer(&[2000]);
    card.peer = None;
    std::thread::sleep(Duration::from_millis(20));
    let before = card.wire.touched.load(Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(card.wire.touched.load(Ordering::Relaxed), before);
    // What is sent goes nowhere, and the driver does not wait for it.
    card.send([0; HEADER], &frame(1, 100));
    assert_eq!(card.counter("txDropped"), 1);
}
