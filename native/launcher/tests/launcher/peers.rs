//! Peers come and go, behave or not; the guest does not notice.

use std::io::Write;

use serde_json::json;

use crate::harness::Launcher;

#[test]
fn the_engines_answers_come_back_to_who_asked() {
    let (launcher, mut one) = Launcher::running("");
    let mut two = launcher.connect();
    let command = json!({"op": "engine", "command": {"execute": "query-status"}});
    assert_eq!(
        one.ask(command.clone()),
        json!({"reply": {"return": {"running": true}}})
    );
    assert_eq!(
        two.ask(command),
        json!({"reply": {"return": {"running": true}}})
    );
}

#[test]
fn a_daemon_that_comes_back_finds_the_guest_and_the_events_it_missed() {
    let (launcher, peer) = Launcher::running("");
    drop(peer);
    let mut again = launcher.connect();
    let hello = again.ask(json!({"op": "hello", "protocol": 1}));
    assert_eq!(
        (&hello["state"], &hello["lastSeq"]),
        (&json!("Running"), &json!(4))
    );
    assert_eq!(
        again.ask(json!({"op": "subscribe", "from": 3})),
        json!({"first": 3})
    );
    assert_eq!(again.event().unwrap()["seq"], 3);
}

#[test]
fn before_a_plan_there_is_nothing_to_ask_or_to_end() {
    let launcher = Launcher::idle();
    let mut peer = launcher.connect();
    let requests = [
        json!({"op": "engine", "command": {"execute": "query-status"}}),
        json!({"op": "shutdown", "graceSeconds": 1}),
        json!({"op": "kill"}),
    ];
    for request in requests {
        assert_eq!(peer.refusal(request), "NotStarted");
    }
    assert_eq!(peer.refusal(json!({"op": "dance"})), "UnknownOp");
    assert_eq!(
        peer.refusal(json!({"op": "hello", "protocol": 0})),
        "BadRequest"
    );
}

#[test]
fn an_engine_that_is_not_there_yet_is_not_asked() {
    let mut launcher = Launcher::idle();
    let plan = launcher.plan(&["mute"]);
    launcher.start(&plan, &[]);
    let mut peer = launcher.connect();
    assert_eq!(
        peer.refusal(json!({"op": "engine", "command": {"execute": "stop"}})),
        "NotStarted"
    );
}

#[test]
fn garbage_ends_its_connection_and_nothing_else() {
    let (launcher, mut peer) = Launcher::running("");
    for garbage in [
        &b"\0\0\0\x02[]"[..],
        b"\xff\xff\xff\xff",
        b"\0\0\0\x05hello",
    ] {
        let mut bad = launcher.connect();
        bad.stream.write_all(garbage).unwrap();
        assert_eq!(bad.receive(), None);
    }
    assert_eq!(peer.ask(json!({"op": "status"}))["state"], "Running");
}

#[test]
fn an_answer_that_is_too_large_is_refused_and_the_engine_goes_on() {
    let (_launcher, mut peer) = Launcher::running("");
    assert_eq!(
        peer.refusal(json!({"op": "engine", "command": {"execute": "x-large"}})),
        "TooLarge"
    );
    assert!(peer.ask(json!({"op": "engine", "command": {"execute": "query-status"}}))["reply"]["return"].is_object());
}

#[test]
fn who_still_waits_for_the_engine_when_it_ends_is_told() {
    let (launcher, mut waiting) = Launcher::running("");
    let mut other = launcher.connect();
    waiting.send_with(
        &json!({"id": 1, "op": "engine", "command": {"execute": "x-silent"}}),
        &[],
    );
    other.ask(json!({"op": "kill"}));
    let answer = std::iter::from_fn(|| waiting.receive())
        .find(|frame| frame["id"] == 1)
        .expect("an answer");
    assert_eq!(answer["error"]["code"], "EngineGone");
}

#[test]
fn a_hundred_daemons_may_come_one_after_the_other() {
    let (launcher, mut peer) = Launcher::running("");
    for _ in 0..100 {
        launcher
            .connect()
            .ask(json!({"op": "hello", "protocol": 1}));
    }
    assert_eq!(peer.ask(json!({"op": "status"}))["state"], "Running");
}
