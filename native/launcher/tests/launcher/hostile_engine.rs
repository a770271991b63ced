//! An engine that its guest has taken over: the launcher keeps its bounds, serves its peers, and ends it when told.

use std::io::Read;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Launcher, Peer, read_until};

/// What the launcher may have held at its worst, in KiB: many times what it needs, far below what a flood would take.
const MOST_KIB: u64 = 48 * 1024;

/// The most memory that the launcher has ever held.
fn peak_kib(launcher: &Launcher) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", launcher.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.unwrap().parse().unwrap()
}

fn engine(command: &str) -> Value {
    json!({"op": "engine", "command": {"execute": command}})
}

fn is_served(peer: &mut Peer) {
    for _ in 0..50 {
        assert_eq!(peer.ask(json!({"op": "status"}))["state"], "Running");
    }
}

fn ends(launcher: &mut Launcher) {
    launcher.connect().ask(json!({"op": "kill"}));
    assert_eq!(launcher.code(), Some(21));
}

#[test]
fn a_flood_of_events_keeps_nobody_from_being_served_and_fills_no_memory() {
    let (mut launcher, subscribed) = Launcher::running("");
    let mut peer = launcher.connect();
    peer.tell_engine("x-flood");
    // It does not read, and is dropped once too much waits for it.
    let mut rest = Vec::new();
    is_served(&mut peer);
    let mut stream = subscribed.stream.try_clone().unwrap();
    is_served(&mut peer);
    assert!(peak_kib(&launcher) < MOST_KIB, "{}", peak_kib(&launcher));
    ends(&mut launcher);
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.len() < 5 << 20, "{}", rest.len());
}

#[test]
fn a_console_without_end_keeps_nobody_from_being_served_and_fills_no_memory() {
    let (mut launcher, mut peer) = Launcher::running("");
    let mut console = launcher.console();
    peer.tell_engine("x-shout");
    // Neither this reader nor the one of the pod's log reads.
    is_served(&mut peer);
    read_until(&mut console, "shout");
    is_served(&mut peer);
    assert!(peak_kib(&launcher) < MOST_KIB, "{}", peak_kib(&launcher));
    ends(&mut launcher);
}

#[test]
fn complaints_without_end_keep_nobody_from_being_served() {
    let (mut launcher, mut peer) = Launcher::running("");
    peer.tell_engine("x-complain");
    is_served(&mut peer);
    assert!(peak_kib(&launcher) < MOST_KIB, "{}", peak_kib(&launcher));
    peer.tell_engine("x-crash");
    assert_eq!(launcher.code(), Some(31));
    let words = launcher.termination_log();
    assert!(
        words.len() <= 2048 && words.contains("complaint"),
        "{words}"
    );
}

#[test]
fn an_engine_that_babbles_instead_of_greeting_is_ended_like_any_other() {
    let mut launcher = Launcher::idle();
    let mut peer = launcher.subscribe(1);
    let plan = launcher.plan(&["babbling"]);
    launcher.start(&plan, &[]);
    peer.until_state("Starting");
    for _ in 0..50 {
        assert_eq!(peer.ask(json!({"op": "status"}))["state"], "Starting");
    }
    assert!(peak_kib(&launcher) < MOST_KIB, "{}", peak_kib(&launcher));
    launcher.signal(Signal::TERM);
    assert_eq!(launcher.code(), Some(22));
}

#[test]
fn garbage_is_passed_over() {
    let (mut launcher, mut peer) = Launcher::running("");
    // The answer behind it may be lost with a line of garbage that is too long; nothing else is.
    let answer = peer.request(engine("x-garbage"));
    assert!(
        answer["ok"].is_object() || answer["error"]["code"] == "TooLarge",
        "{answer}"
    );
    is_served(&mut peer);
    assert!(peak_kib(&launcher) < MOST_KIB, "{}", peak_kib(&launcher));
    ends(&mut launcher);
}

#[test]
fn an_answer_without_an_end_is_refused_and_not_kept() {
    let (mut launcher, mut peer) = Launcher::running("");
    assert_eq!(peer.refusal(engine("x-endless")), "TooLarge");
    assert_eq!(
        peer.ask(engine("query-status"))["reply"]["return"]["running"],
        true
    );
    assert!(peak_kib(&launcher) < MOST_KIB, "{}", peak_kib(&launcher));
    ends(&mut launcher);
}

#[test]
fn an_answer_of_any_depth_goes_through_and_takes_no_stack() {
    let (mut launcher, mut peer) = Launcher::running("");
    peer.tell_engine("x-deep");
    let mut prefix = [0; 4];
    loop {
        peer.stream.read_exact(&mut prefix).unwrap();
        let mut body = vec![0; u32::from_be_bytes(prefix) as usize];
        peer.stream.read_exact(&mut body).unwrap();
        if body.len() > 800_000 {
            break;
        }
    }
    is_served(&mut peer);
    ends(&mut launcher);
}

#[test]
fn answers_that_nobody_asked_for_are_nobodys_and_the_first_of_two_counts() {
    let (mut launcher, mut peer) = Launcher::running("");
    assert_eq!(peer.ask(engine("x-wrong-ids"))["reply"]["return"], 2);
    assert_eq!(
        peer.ask(engine("query-status"))["reply"]["return"]["running"],
        true
    );
    ends(&mut launcher);
}

#[test]
fn an_engine_that_hangs_up_and_lives_on_is_killed_when_its_grace_is_over() {
    let (mut launcher, mut peer) = Launcher::running("");
    peer.tell_engine("x-hang-up");
    while peer.request(engine("query-status"))["error"]["code"] != "EngineGone" {}
    is_served(&mut peer);
    peer.ask(json!({"op": "shutdown", "graceSeconds": 1}));
    assert_eq!(launcher.code(), Some(21));
}

#[test]
fn an_engine_that_reads_nothing_is_not_asked_without_end() {
    let (mut launcher, mut peer) = Launcher::running("");
    peer.tell_engine("x-hang");
    let long = json!({"op": "engine", "command": {"execute": "x", "arguments": {"text": "x".repeat(100_000)}}});
    let mut other = launcher.connect();
    let refused = (0..400).any(|_| {
        let mut request = long.clone();
        request["id"] = json!(1);
        other.send_with(&request, &[]);
        is_refused(&mut other)
    });
    assert!(refused, "an engine that does not read is never given up");
    is_served(&mut peer);
    assert!(peak_kib(&launcher) < MOST_KIB, "{}", peak_kib(&launcher));
    ends(&mut launcher);
}

/// Whether a refusal has come by now.
fn is_refused(peer: &mut Peer) -> bool {
    peer.stream
        .set_read_timeout(Some(std::time::Duration::from_millis(1)))
        .unwrap();
    let answer = peer.receive();
    answer.is_some_and(|answer| answer["error"]["code"] == "TooLarge")
}
