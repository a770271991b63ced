//! From a plan to a guest.

use std::io::{Read, pipe};
use std::os::fd::AsFd;

use rustix::process::Signal;
use serde_json::json;

use crate::harness::{Launcher, read_until};

#[test]
fn an_idle_launcher_says_who_it_is() {
    let launcher = Launcher::idle();
    let hello = launcher
        .connect()
        .ask(json!({"op": "hello", "protocol": 7}));
    assert_eq!(
        hello,
        json!({"protocol": 2, "version": "0.1.0", "uid": "uid-1", "state": "Idle", "lastSeq": 0})
    );
}

#[test]
fn a_plan_becomes_a_guest_that_runs() {
    let (launcher, mut peer) = Launcher::running("");
    let hello = peer.ask(json!({"op": "hello", "protocol": 1}));
    assert_eq!(
        (&hello["state"], &hello["planId"]),
        (&json!("Running"), &json!("run-1"))
    );
    let status = peer.ask(json!({"op": "status"}));
    assert_eq!(status["state"], "Running");
    assert!(status["startedAt"].as_u64().unwrap() > 1_700_000_000_000);
    let command =
        std::fs::read_to_string(format!("/proc/{}/cmdline", status["enginePid"])).unwrap();
    assert!(command.contains("fake-engine.sh"), "{command}");
    let states: Vec<_> = (0..4)
        .filter_map(|_| launcher.subscribe(1).event())
        .map(|event| event["seq"].clone())
        .collect();
    assert_eq!(states, [1, 1, 1, 1]);
}

#[test]
fn events_are_numbered_from_one_and_in_order() {
    let (launcher, _peer) = Launcher::running("");
    let mut late = launcher.subscribe(0);
    let events: Vec<_> = (0..4).map(|_| late.event().unwrap()).collect();
    assert_eq!(
        events
            .iter()
            .map(|event| event["seq"].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(
        events[0]["event"],
        json!({"type": "state", "state": "Preparing"})
    );
    assert_eq!(
        events[1]["event"],
        json!({"type": "state", "state": "Starting"})
    );
    assert_eq!(events[2]["event"]["qmp"]["event"], "RESUME");
    assert_eq!(
        events[3]["event"],
        json!({"type": "state", "state": "Running"})
    );
    assert_eq!(launcher.subscribe(4).event().unwrap()["seq"], 4);
}

#[test]
fn descriptors_reach_the_engine_and_stay_with_nobody_else() {
    let mut launcher = Launcher::idle();
    let (mut from_engine, to_test) = pipe().unwrap();
    let (mut unused, unused_end) = pipe().unwrap();
    let mut plan = launcher.plan(&["descriptor", "{fd:report}"]);
    plan["descriptors"] = json!(["unused", "report"]);
    launcher.start(&plan, &[unused_end.as_fd(), to_test.as_fd()]);
    drop((to_test, unused_end));
    let mut said = [0; 15];
    from_engine.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"from the engine");
    // Nobody holds the other end of the one that the engine did not ask for.
    assert_eq!(unused.read(&mut [0; 1]).unwrap(), 0);
    launcher.subscribe(1).until_state("Running");
    launcher.connect().tell_engine("x-power-off");
    launcher.code();
    assert_eq!(from_engine.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_file_is_opened_for_the_native_engine_which_gets_no_path() {
    let mut launcher = Launcher::idle();
    std::fs::write(launcher.path("disk"), b"").unwrap();
    let blank = format!("{{open:{}?rw}}", launcher.path("disk"));
    let mut plan = launcher.plan(&["descriptor", &blank]);
    plan["engine"]["kind"] = json!("native");
    launcher.start(&plan, &[]);
    launcher.subscribe(1).until_state("Running");
    assert_eq!(
        std::fs::read(launcher.path("disk")).unwrap(),
        b"from the engine"
    );
    launcher.connect().tell_engine("x-power-off");
    assert_eq!(launcher.code(), Some(0));
}

#[test]
fn a_disk_that_another_machine_writes_ends_the_start_in_words() {
    let mut first = Launcher::idle();
    std::fs::write(first.path("disk"), b"").unwrap();
    let blank = format!("{{open:{}?rw}}", first.path("disk"));
    let mut plan = first.plan(&["descriptor", &blank]);
    plan["engine"]["kind"] = json!("native");
    first.start(&plan, &[]);
    first.subscribe(1).until_state("Running");
    let mut second = Launcher::idle();
    second.start(&plan, &[]);
    assert_eq!(second.code(), Some(32));
    let words = std::fs::read_to_string(second.path("termination-log")).unwrap();
    assert!(words.contains("another machine may use it"), "{words}");
}

#[test]
fn a_plan_whose_descriptors_do_not_fit_is_refused_and_another_may_come() {
    let mut launcher = Launcher::idle();
    let (_keep, end) = pipe().unwrap();
    let plan = launcher.plan(&[""]);
    let answer = launcher.hand_over(&plan, &[end.as_fd()]);
    assert_eq!(
        answer["error"],
        json!({"code": "BadPlan", "message": "1 descriptors came, 0 are named"})
    );
    launcher.start(&plan, &[]);
    launcher.subscribe(1).until_state("Running");
}

#[test]
fn a_second_start_is_refused_and_changes_nothing() {
    let (mut launcher, mut peer) = Launcher::running("");
    for id in ["run-1", "run-2"] {
        let mut plan = launcher.plan(&["broken"]);
        plan["id"] = id.into();
        let answer = launcher.hand_over(&plan, &[]);
        assert_eq!(answer["error"]["code"], "AlreadyStarted");
    }
    assert_eq!(peer.ask(json!({"op": "status"}))["state"], "Running");
}

#[test]
fn files_are_made_before_the_engine_starts() {
    let mut launcher = Launcher::idle();
    let (disk, seed) = (launcher.path("disk.img"), launcher.path("seed.iso"));
    let mut plan = launcher.plan(&[""]);
    plan["files"] = json!([
        {"make": "raw", "path": disk, "bytes": 4 << 20},
        {"make": "iso", "path": seed, "label": "cidata", "entries": [{"name": "meta-data", "from": {"base64": "e30="}}]},
    ]);
    launcher.start(&plan, &[]);
    launcher.subscribe(1).until_state("Running");
    assert_eq!(std::fs::metadata(disk).unwrap().len(), 4 << 20);
    assert!(std::fs::metadata(seed).unwrap().len() > 2048);
}

#[test]
fn a_guest_that_starts_paused_waits_for_a_peer_to_resume_it() {
    let mut launcher = Launcher::idle();
    let mut peer = launcher.subscribe(1);
    let mut plan = launcher.plan(&[""]);
    plan["startPaused"] = json!(true);
    launcher.start(&plan, &[]);
    let running = peer.until(|event| event["state"] == "Running");
    assert_eq!(running["reason"], "Paused");
    let mut console = launcher.console();
    peer.ask(json!({"op": "engine", "command": {"execute": "cont"}}));
    peer.until(|event| event["qmp"]["event"] == "RESUME");
    read_until(&mut console, "the guest boots\r\n");
    peer.tell_engine("system_powerdown");
    assert_eq!(launcher.code(), Some(0));
}

#[test]
fn a_guest_that_never_ran_ends_at_once() {
    let mut launcher = Launcher::idle();
    let mut peer = launcher.subscribe(1);
    let mut plan = launcher.plan(&["deaf"]);
    plan["startPaused"] = json!(true);
    launcher.start(&plan, &[]);
    peer.until_state("Running");
    launcher.signal(Signal::TERM);
    assert_eq!(launcher.code(), Some(22));
}

#[test]
fn the_engine_is_told_what_the_plan_says_before_its_guest_runs() {
    let mut launcher = Launcher::idle();
    let mut plan = launcher.plan(&[""]);
    plan["engine"]["setup"] =
        json!([{"execute": "set_link", "arguments": {"name": "net-default", "up": false}}]);
    launcher.start(&plan, &[]);
    launcher.subscribe(1).until_state("Running");
    read_until(&mut launcher.console(), "link down\r\nthe guest boots\r\n");
}

#[test]
fn a_guest_does_not_run_where_its_engine_refuses_what_the_plan_says() {
    let mut launcher = Launcher::idle();
    let mut plan = launcher.plan(&[""]);
    plan["engine"]["setup"] = json!([{"execute": "x-refused"}]);
    launcher.start(&plan, &[]);
    assert_eq!(launcher.code(), Some(32));
}
