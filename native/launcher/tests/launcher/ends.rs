//! How guests end, and what the exit code says of it.

use std::io::Read;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::harness::{Launcher, PATIENCE, command, folder, skipped};

/// What the last event says.
fn outcome(events: &[serde_json::Value]) -> &str {
    let last = &events.last().expect("a last event")["event"];
    assert_eq!(last["type"], "exited");
    last["outcome"].as_str().unwrap()
}

#[test]
fn a_guest_that_powers_itself_off_ends_with_0() {
    let (mut launcher, mut peer) = Launcher::running("");
    peer.tell_engine("x-power-off");
    assert_eq!(outcome(&peer.rest()), "PoweredOff");
    assert_eq!(launcher.code(), Some(0));
    assert_eq!(launcher.termination_log(), "");
}

#[test]
fn sigterm_presses_the_button_and_ends_with_20() {
    let (mut launcher, mut peer) = Launcher::running("");
    launcher.signal(Signal::TERM);
    peer.until_state("Stopping");
    assert_eq!(outcome(&peer.rest()), "ShutDownOnRequest");
    assert_eq!(launcher.code(), Some(20));
}

#[test]
fn a_guest_that_does_not_follow_is_killed_after_its_grace_with_21() {
    let (mut launcher, mut peer) = Launcher::running("deaf");
    let began = Instant::now();
    peer.ask(json!({"op": "shutdown", "graceSeconds": 1}));
    assert_eq!(launcher.code(), Some(21));
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert!(
        launcher.termination_log().contains("grace"),
        "{}",
        launcher.termination_log()
    );
}

#[test]
fn a_kill_ends_with_21_at_once() {
    let (mut launcher, mut peer) = Launcher::running("deaf");
    peer.ask(json!({"op": "kill"}));
    assert_eq!(outcome(&peer.rest()), "KilledAfterGrace");
    assert_eq!(launcher.code(), Some(21));
}

#[test]
fn sigterm_before_a_plan_ends_with_22() {
    let mut launcher = Launcher::idle();
    launcher.signal(Signal::TERM);
    assert_eq!(launcher.code(), Some(22));
}

#[test]
fn sigterm_before_the_guest_runs_ends_with_22() {
    let mut launcher = Launcher::idle();
    let plan = launcher.plan(&["mute"]);
    launcher.start(&plan, &[]);
    launcher.signal(Signal::TERM);
    assert_eq!(launcher.code(), Some(22));
}

#[test]
fn a_reboot_that_ends_the_engine_ends_with_23() {
    let (mut launcher, mut peer) = Launcher::running("");
    peer.tell_engine("x-reboot");
    assert_eq!(outcome(&peer.rest()), "GuestRebooted");
    assert_eq!(launcher.code(), Some(23));
    assert_eq!(launcher.termination_log(), "");
}

#[test]
fn a_watchdog_that_powers_the_guest_off_ends_with_34() {
    let (mut launcher, mut peer) = Launcher::running("");
    peer.tell_engine("x-watchdog");
    assert_eq!(outcome(&peer.rest()), "WatchdogExpired");
    assert_eq!(launcher.code(), Some(34));
    assert!(launcher.termination_log().contains("watchdog"));
}

#[test]
fn a_panic_ends_with_30() {
    let (mut launcher, mut peer) = Launcher::running("");
    peer.tell_engine("x-panic");
    assert_eq!(outcome(&peer.rest()), "GuestPanicked");
    assert_eq!(launcher.code(), Some(30));
    // Why is what the kernel left on the console.
    assert_eq!(
        launcher.termination_log(),
        "the guest's kernel panicked: sysrq triggered crash"
    );
}

#[test]
fn a_crash_ends_with_31_and_shows_the_engines_last_words() {
    let (mut launcher, mut peer) = Launcher::running("");
    peer.tell_engine("x-crash");
    assert_eq!(outcome(&peer.rest()), "EngineCrashed");
    assert_eq!(launcher.code(), Some(31));
    assert_eq!(
        launcher.termination_log(),
        "the engine was ended by signal 6: assertion failed"
    );
    let mut log = String::new();
    launcher
        .child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    assert!(
        log.contains("wherry-launcher: EngineCrashed: the engine was ended by signal 6"),
        "{log}"
    );
}

#[test]
fn an_engine_that_cannot_start_ends_with_32_and_says_why() {
    for (mode, why) in [
        ("broken", "no such device"),
        ("refusing", "no bootable disk"),
    ] {
        let mut launcher = Launcher::idle();
        let plan = launcher.plan(&[mode]);
        launcher.start(&plan, &[]);
        assert_eq!(launcher.code(), Some(32), "{mode}");
        assert!(
            launcher.termination_log().contains(why),
            "{}",
            launcher.termination_log()
        );
    }
}

#[test]
fn a_file_that_cannot_be_made_or_an_engine_that_is_not_there_ends_with_32() {
    let mut launcher = Launcher::idle();
    let mut plan = launcher.plan(&[""]);
    plan["files"] = json!([{"make": "raw", "path": "/no/such/folder/disk.img", "bytes": 1 << 20}]);
    launcher.start(&plan, &[]);
    assert_eq!(launcher.code(), Some(32));
    assert!(
        launcher
            .termination_log()
            .contains("/no/such/folder/disk.img"),
        "{}",
        launcher.termination_log()
    );

    let mut launcher = Launcher::idle();
    let mut plan = launcher.plan(&[""]);
    plan["engine"]["program"] = "/no/such/engine".into();
    launcher.start(&plan, &[]);
    assert_eq!(launcher.code(), Some(32));
    assert!(
        launcher.termination_log().contains("/no/such/engine"),
        "{}",
        launcher.termination_log()
    );
}

#[test]
fn a_disk_image_that_is_not_there_is_named_by_its_volume() {
    let mut launcher = Launcher::idle();
    let mut plan = launcher.plan(&[]);
    plan["files"] = json!([{
        "make": "overlay",
        "path": launcher.path("root.overlay.qcow2"),
        "backing": "/run/wherry-volumes/root/disk/none",
    }]);
    launcher.start(&plan, &[]);
    assert_eq!(launcher.code(), Some(32));
    assert_eq!(
        launcher.termination_log(),
        "no disk image is at /disk/none of volume root: No such file or directory (os error 2): a containerDisk needs \
         exactly one file in /disk, or containerDisk.path that names it"
    );
}

#[test]
fn a_launcher_without_its_folder_ends_with_33() {
    let folder = folder();
    let mut command = command(&folder);
    let status = command
        .env("WHERRY_SOCKETS", folder.join("missing"))
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(33));
    let log = std::fs::read_to_string(folder.join("termination-log")).unwrap();
    assert!(
        log.contains("the launcher of vm-1 failed: listening on"),
        "{log}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_engine_does_not_outlive_its_launcher() {
    let (mut launcher, mut peer) = Launcher::running("deaf");
    let pid = peer.ask(json!({"op": "status"}))["enginePid"].to_string();
    launcher.child.kill().unwrap();
    launcher.child.wait().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while state_of(&pid).is_some_and(|state| state != 'Z') {
        assert!(Instant::now() < deadline, "the engine lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The letter of a process's state; `None` when there is no such process.
fn state_of(pid: &str) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[test]
fn orphans_that_come_to_pid_1_are_reaped() {
    let folder = folder();
    let launcher = command(&folder);
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--pid", "--fork", "--kill-child"])
        .arg(launcher.get_program());
    unshare.envs(
        launcher
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    unshare
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    if !rustix::process::geteuid().is_root() {
        skipped("only root makes process namespaces here");
        return;
    }
    let mut launcher = Launcher::of(unshare.spawn().unwrap(), folder);
    let plan = launcher.plan(&[""]);
    launcher.start(&plan, &[]);
    let mut peer = launcher.subscribe(1);
    peer.until_state("Running");
    peer.ask(json!({"op": "engine", "command": {"execute": "x-orphans"}}));
    let outer = launcher.child.id();
    let first = children_of(&outer.to_string()).remove(0);
    let deadline = Instant::now() + PATIENCE;
    // The engine alone remains of its children.
    while children_of(&first).len() != 1 {
        assert!(Instant::now() < deadline, "{:?}", children_of(&first));
        std::thread::sleep(Duration::from_millis(10));
    }
    peer.tell_engine("x-power-off");
    assert_eq!(launcher.code(), Some(0));
}

fn children_of(pid: &str) -> Vec<String> {
    let text =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().map(String::from).collect()
}
