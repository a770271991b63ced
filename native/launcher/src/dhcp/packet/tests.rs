use super::testing::{MAC, option_of, question};
use super::*;

fn parsed(options: &[(u8, &[u8])]) -> Question {
    Question::parse(&question(Kind::Discover, options)).unwrap()
}

#[test]
fn a_question_gives_its_fields() {
    let options: [(u8, &[u8]); 5] = [
        (option::REQUESTED_ADDRESS, &[10, 0, 2, 2]),
        (option::SERVER, &[10, 0, 2, 1]),
        (option::CLIENT, b"\x01abc"),
        (option::HOST_NAME, b"my-vm"),
        (option::MAX_SIZE, &1400u16.to_be_bytes()),
    ];
    let question = parsed(&options);
    assert_eq!(
        (question.kind, question.mac, question.transaction),
        (Kind::Discover, MAC, [0xde, 0xad, 0xbe, 0xef])
    );
    assert_eq!(
        (question.requested, question.server),
        (Some([10, 0, 2, 2].into()), Some([10, 0, 2, 1].into()))
    );
    assert_eq!(
        (question.client.as_deref(), question.hostname.as_deref()),
        (Some(&b"\x01abc"[..]), Some("my-vm"))
    );
    assert_eq!((question.max_size, question.flags), (1372, [0x80, 0]));
}

#[test]
fn every_cut_of_a_question_is_refused_or_harmless() {
    let whole = question(
        Kind::Request,
        &[(option::HOST_NAME, b"vm"), (option::CLIENT, &[7; 255])],
    );
    for length in 0..whole.len() {
        let _ = Question::parse(&whole[..length]);
    }
    assert_eq!(Question::parse(&whole[..OPTIONS + 2]), None);
    assert_eq!(Question::parse(&whole[..whole.len() - 2]), None);
}

#[test]
fn what_is_no_question_of_an_ethernet_client_is_refused() {
    for (at, byte) in [
        (0, 2),
        (1, 6),
        (2, 16),
        (236, 0),
        (242, 9),
        (242, 0),
        (241, 2),
    ] {
        let mut bytes = question(Kind::Discover, &[]);
        bytes[at] = byte;
        assert_eq!(Question::parse(&bytes), None, "byte {at} = {byte}");
    }
}

#[test]
fn random_bytes_never_harm() {
    let mut state = 1u64;
    for _ in 0..20_000 {
        let mut bytes = question(Kind::Discover, &[(option::HOST_NAME, b"x")]);
        for _ in 0..8 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 25) as u8;
        }
        let _ = Question::parse(&bytes);
    }
}

#[test]
fn options_of_a_wrong_length_count_as_missing() {
    assert_eq!(
        parsed(&[(option::REQUESTED_ADDRESS, &[10, 0, 2])]).requested,
        None
    );
    assert_eq!(parsed(&[(option::MAX_SIZE, &[1])]).max_size, 548);
    assert_eq!(parsed(&[(option::MAX_SIZE, &[0, 10])]).max_size, 548);
    assert_eq!(parsed(&[(option::MAX_SIZE, &[255, 255])]).max_size, 1472);
}

#[test]
fn names_that_are_no_names_are_not_repeated() {
    for name in [&b""[..], b"a b", b"x\x1b[2J", &[b'a'; 254], b"\xff"] {
        assert_eq!(
            parsed(&[(option::HOST_NAME, &name[..name.len().min(255)])]).hostname,
            None,
            "{name:?}"
        );
    }
    assert_eq!(
        parsed(&[(option::HOST_NAME, b"vm\0")]).hostname.as_deref(),
        Some("vm")
    );
}

#[test]
fn an_answer_repeats_the_transaction_and_is_padded() {
    let answer = Answer::to(&parsed(&[]), Kind::Offer, [10, 0, 2, 2].into()).into_bytes();
    assert_eq!(answer.len(), LEAST);
    assert_eq!(
        answer[..12],
        [2, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0x80, 0]
    );
    assert_eq!(answer[16..20], [10, 0, 2, 2]);
    assert_eq!(answer[28..34], MAC);
    assert_eq!(option_of(&answer, option::MESSAGE_TYPE).unwrap(), [2]);
}

#[test]
fn long_options_are_continued_and_those_that_do_not_fit_left_out() {
    let mut answer = Answer::to(
        &parsed(&[(option::MAX_SIZE, &1400u16.to_be_bytes())]),
        Kind::Offer,
        [0; 4].into(),
    );
    answer.add(option::DOMAIN_SEARCH, &[7; 600]);
    answer.add(option::CLIENT, &[8; 600]);
    answer.add(option::MTU, &[1, 2]);
    let bytes = answer.into_bytes();
    assert!(bytes.len() <= 1372);
    assert_eq!(option_of(&bytes, option::DOMAIN_SEARCH).unwrap(), [7; 600]);
    assert_eq!(option_of(&bytes, option::CLIENT), None);
    assert_eq!(option_of(&bytes, option::MTU).unwrap(), [1, 2]);
}
