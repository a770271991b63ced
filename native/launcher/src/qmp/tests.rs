use super::*;

const PEER: Asker = Asker::Peer {
    peer: 3,
    request: 9,
};

fn command(text: &str) -> Command {
    serde_json::from_str(text).unwrap()
}

fn asked(channel: &mut Channel, asker: Asker) {
    channel
        .ask(asker, &command(r#"{"execute":"query-status"}"#))
        .unwrap();
}

/// The one message that a text makes.
fn one(channel: &mut Channel, text: &str) -> Message {
    let mut messages = channel.receive(text.as_bytes());
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

#[test]
fn commands_become_numbered_lines_and_arguments_stay_as_they_are() {
    let mut channel = Channel::default();
    channel.tell(Own::Negotiate, &[]);
    channel.ask(PEER, &command("{\"execute\":\"qom-set\",\"arguments\":{\"value\": 1.50,\n\"big\":18446744073709551615}}")).unwrap();
    let sent = String::from_utf8(channel.unsent().to_vec()).unwrap();
    let lines: Vec<&str> = sent.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"execute":"qmp_capabilities","id":1}"#,
            r#"{"execute":"qom-set","arguments":{"value": 1.50, "big":18446744073709551615},"id":2}"#,
        ]
    );
}

#[test]
fn what_was_sent_is_not_sent_again() {
    let mut channel = Channel::default();
    channel.tell(Own::Continue, &[]);
    let length = channel.unsent().len();
    channel.sent(length - 3);
    assert_eq!(
        channel.unsent(),
        b"2}\n".map(|byte| if byte == b'2' { b'1' } else { byte })
    );
    channel.sent(99);
    assert!(channel.unsent().is_empty());
}

#[test]
fn a_greeting_is_known_however_it_is_cut() {
    let mut channel = Channel::default();
    let text = b"{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n";
    let messages: Vec<Message> = text
        .iter()
        .flat_map(|byte| channel.receive(&[*byte]))
        .collect();
    assert!(matches!(messages[..], [Message::Greeting]));
}

#[test]
fn answers_find_who_asked_in_any_order_and_lose_their_ids() {
    let mut channel = Channel::default();
    channel.tell(Own::Continue, &[]);
    asked(&mut channel, PEER);
    let Message::Answer(asker, Ok(answer)) =
        one(&mut channel, "{\"id\": 2, \"return\": {\"n\": 1.0}}\n")
    else {
        panic!()
    };
    assert_eq!(
        (asker, answer.raw.get(), answer.error),
        (PEER, r#"{"return":{"n": 1.0}}"#, None)
    );
    let Message::Answer(asker, Ok(answer)) = one(
        &mut channel,
        "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": 1}\n",
    ) else {
        panic!()
    };
    assert_eq!(asker, Asker::Launcher(Own::Continue));
    assert_eq!(answer.error.as_deref(), Some("no"));
    assert_eq!(
        answer.raw.get(),
        r#"{"error":{"class": "GenericError", "desc": "no"}}"#
    );
}

#[test]
fn events_are_relayed_as_they_are_and_read_for_the_guests_life() {
    let table = [
        ("STOP", "{}", Some(Sign::Paused)),
        ("RESUME", "{}", Some(Sign::Resumed)),
        (
            "RESET",
            r#"{"guest": true, "reason": "guest-reset"}"#,
            Some(Sign::Reset),
        ),
        (
            "GUEST_PANICKED",
            r#"{"action": "poweroff"}"#,
            Some(Sign::Panicked),
        ),
        (
            "SHUTDOWN",
            r#"{"guest": true, "reason": "guest-shutdown"}"#,
            Some(Sign::Shutdown {
                reason: "guest-shutdown".into(),
            }),
        ),
        (
            "SHUTDOWN",
            "{}",
            Some(Sign::Shutdown {
                reason: String::new(),
            }),
        ),
        ("GUEST_CRASHLOADED", "{}", None),
        ("BALLOON_CHANGE", r#"{"actual": 1}"#, None),
    ];
    for (name, data, expected) in table {
        let text =
            format!(r#"{{"timestamp": {{"seconds": 1}}, "event": "{name}", "data": {data}}}"#);
        let Message::Event { raw, sign } = one(&mut Channel::default(), &format!("{text}\r\n"))
        else {
            panic!()
        };
        assert_eq!((raw.get(), sign), (text.as_str(), expected));
    }
}

#[test]
fn strange_lines_are_passed_over() {
    let mut channel = Channel::default();
    asked(&mut channel, PEER);
    for text in [
        "\n",
        "hello\n",
        "[]\n",
        "{}\n",
        "{\"id\": 7, \"return\": {}}\n",
        "{\"id\": \"x\", \"return\": {}}\n",
        "\u{7f}\n",
    ] {
        assert!(channel.receive(text.as_bytes()).is_empty(), "{text:?}");
    }
    assert!(channel.receive(b"\xff\xfe\n").is_empty());
    assert!(matches!(
        one(&mut channel, "{\"id\": 1, \"return\": {}}\n"),
        Message::Answer(PEER, Ok(_))
    ));
}

#[test]
fn an_answer_that_fits_in_no_frame_is_thrown_away_and_said() {
    let mut channel = Channel::default();
    asked(&mut channel, PEER);
    for _ in 0..=MAX_LINE / 4096 {
        assert!(channel.receive(&[b'x'; 4096]).is_empty());
        assert!(channel.held.len() <= MAX_LINE);
    }
    let Message::Answer(PEER, Err(refusal)) = one(&mut channel, "\"}\n") else {
        panic!()
    };
    assert_eq!(refusal.code, Code::TooLarge);
    assert!(matches!(
        one(&mut channel, "{\"QMP\": {}}\n"),
        Message::Greeting
    ));
}

#[test]
fn an_engine_that_does_not_answer_gets_only_so_many_commands() {
    let mut channel = Channel::default();
    for _ in 0..MAX_WAITING {
        asked(&mut channel, PEER);
    }
    let refusal = channel
        .ask(PEER, &command(r#"{"execute":"stop"}"#))
        .unwrap_err();
    assert_eq!(refusal.code, Code::TooLarge);
    assert_eq!(channel.abandon().len(), MAX_WAITING);
}

#[test]
fn random_lines_never_harm() {
    let sample = b"{\"timestamp\": {\"seconds\": 1}, \"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-panic\"}}\n{\"id\": 1, \"error\": {\"desc\": \"x\"}}\n";
    let mut state = 7u64;
    let mut channel = Channel::default();
    for _ in 0..5_000 {
        asked(&mut channel, PEER);
        let mut bytes = sample.to_vec();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 25) as u8;
        }
        channel.receive(&bytes);
        channel.abandon();
    }
    assert!(channel.held.len() < 2 * sample.len());
}
