//! The guest's serial console, for people.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::json;

use crate::harness::{Launcher, command, folder, read_until};

#[test]
fn the_pods_log_and_every_reader_show_the_boot() {
    let (mut launcher, _peer) = Launcher::running("");
    let mut stdout = launcher.child.stdout.take().unwrap();
    assert_eq!(read_until(&mut stdout, "boots\r\n"), "the guest boots\r\n");
    for _ in 0..2 {
        assert_eq!(
            read_until(&mut launcher.console(), "boots\r\n"),
            "the guest boots\r\n"
        );
    }
}

#[test]
fn a_console_that_is_not_logged_stays_at_its_socket() {
    let mut launcher = Launcher::idle();
    let mut peer = launcher.subscribe(1);
    let mut plan = launcher.plan(&[""]);
    plan["logConsole"] = json!(false);
    launcher.start(&plan, &[]);
    read_until(&mut launcher.console(), "the guest boots\r\n");
    peer.tell_engine("x-crash");
    assert_eq!(launcher.code(), Some(31));
    let mut logged = String::new();
    let mut stdout = launcher.child.stdout.take().unwrap();
    stdout.read_to_string(&mut logged).unwrap();
    assert_eq!(logged, "");
    assert!(launcher.termination_log().contains("assertion failed"));
}

#[test]
fn what_is_typed_anywhere_reaches_the_guest() {
    let (mut launcher, mut peer) = Launcher::running("");
    let mut reader = launcher.console();
    launcher
        .child
        .stdin
        .take()
        .unwrap()
        .write_all(b"at the pod\n")
        .unwrap();
    peer.ask(json!({"op": "engine", "command": {"execute": "x-echo"}}));
    read_until(&mut reader, "you typed at the pod\r\n");
    launcher.console().write_all(b"at the socket\n").unwrap();
    peer.ask(json!({"op": "engine", "command": {"execute": "x-echo"}}));
    read_until(&mut reader, "you typed at the socket\r\n");
}

#[test]
fn readers_that_do_not_read_never_block_the_guest() {
    let (launcher, mut peer) = Launcher::running("");
    let mut lazy = launcher.console();
    // Neither does anybody read the pod's log here.
    for _ in 0..3 {
        peer.ask(json!({"op": "engine", "command": {"execute": "x-chatter"}}));
    }
    peer.tell_engine("x-power-off");
    peer.rest();
    let mut seen = Vec::new();
    lazy.read_to_end(&mut seen).unwrap();
    assert!(
        seen.len() < 3_000_000 && seen.ends_with(b"xxx"),
        "{}",
        seen.len()
    );
}

/// A terminal: the side of the person, and that of the launcher.
fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let launcher = ioctl_tiocgptpeer(
        &person,
        OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC,
    )
    .unwrap();
    (person.into(), launcher.into())
}

#[test]
fn a_terminal_is_raw_while_the_guest_has_it_and_as_before_when_it_ends() {
    let (mut person, terminal) = terminal();
    let folder = folder();
    let stdio = || Stdio::from(terminal.try_clone().unwrap());
    let child = command(&folder)
        .stdin(stdio())
        .stdout(stdio())
        .spawn()
        .unwrap();
    let mut launcher = Launcher::of(child, folder);
    let plan = launcher.plan(&[""]);
    launcher.start(&plan, &[]);
    read_until(&mut person, "the guest boots\r\n");
    let is_echoing = || {
        tcgetattr(terminal.as_fd())
            .unwrap()
            .local_modes
            .contains(LocalModes::ECHO)
    };
    assert!(!is_echoing());

    let mut peer = launcher.connect();
    // An interrupt key is the guest's, too.
    person.write_all(b"\x03x\n").unwrap();
    peer.ask(json!({"op": "engine", "command": {"execute": "x-echo"}}));
    read_until(&mut person, "you typed \x03x\r\n");

    peer.tell_engine("x-power-off");
    assert_eq!(launcher.code(), Some(0));
    assert!(is_echoing());
}

#[test]
fn a_guest_lives_on_without_anybody_at_the_pods_console() {
    let (mut launcher, mut peer) = Launcher::running("");
    drop((launcher.child.stdin.take(), launcher.child.stdout.take()));
    peer.ask(json!({"op": "engine", "command": {"execute": "x-chatter"}}));
    assert_eq!(peer.ask(json!({"op": "status"}))["state"], "Running");
    peer.tell_engine("x-power-off");
    assert_eq!(launcher.code(), Some(0));
}
