//! The real engine with a guest of 512 bytes.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::boot_sector;
use crate::harness::{Launcher, Peer, read_until, skipped};

/// The installed QEMU, or the newest that the images' build has left in the cache.
fn qemu() -> Option<PathBuf> {
    let name = "qemu-system-x86_64";
    let installed = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    });
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or(home)?;
    let built = || {
        let folders = cache.join("wherry/images").read_dir().ok()?.flatten();
        folders
            .map(|folder| folder.path().join("bin").join(name))
            .filter(|file| file.is_file())
            .max_by_key(|file| file.metadata().and_then(|it| it.modified()).ok())
    };
    let found = installed.or_else(built);
    if found.is_none() {
        skipped(&format!(
            "{name} of the package qemu-system-x86 is not installed"
        ));
    }
    found
}

struct Guest {
    launcher: Launcher,
    peer: Peer,
    console: UnixStream,
}

/// A guest that has said `boot>`; `None` without QEMU. Its disk is used as its filesystem allows, which the launcher finds out.
fn booted() -> Option<Guest> {
    let program = qemu()?;
    let mut launcher = Launcher::idle();
    let image = launcher.path("image.raw");
    let disk = launcher.path("disk.qcow2");
    std::fs::write(&image, boot_sector::disk()).unwrap();
    let plan: Value = json!({
        "id": "run-1",
        "engine": {"kind": "qemu", "program": program, "args": [
            "-nodefaults", "-no-user-config", "-display", "none", "-S", "-machine", "q35,usb=off", "-accel", "tcg,tb-size=64", "-m", "32",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-action", "reboot=reset,shutdown=poweroff,panic=exit-failure",
            "-chardev", "socket,id=qmp,fd={fd:qmp}", "-mon", "chardev=qmp,mode=control",
            "-chardev", "socket,id=serial0,fd={fd:serial0}", "-serial", "chardev:serial0",
            "-device", "pvpanic",
            "-blockdev", format!(r#"{{"driver":"qcow2","node-name":"d0","cache":{{"direct":{{direct:{disk}?true:false}}}},"file":{{"driver":"file","filename":"{disk}"}}}}"#),
            "-device", format!(r#"{{"driver":"virtio-blk-pci","drive":"d0","bootindex":1,"write-cache":"{{direct:{disk}?on:off}}","physical_block_size":{{blocksize:{disk}}}}}"#),
        ]},
        "descriptors": [],
        "files": [{"make": "overlay", "path": disk, "backing": image}],
        "dhcp": [],
        "graceSeconds": 30,
    });
    let mut peer = launcher.subscribe(1);
    launcher.start(&plan, &[]);
    let mut console = launcher.console();
    peer.until_state("Running");
    read_until(&mut console, "boot>");
    Some(Guest {
        launcher,
        peer,
        console,
    })
}

#[test]
fn a_guest_boots_answers_qmp_and_powers_itself_off() {
    let Some(mut guest) = booted() else { return };
    let reply = guest
        .peer
        .ask(json!({"op": "engine", "command": {"execute": "query-status"}}));
    assert_eq!(reply["reply"]["return"]["status"], "running");
    let reply = guest
        .peer
        .ask(json!({"op": "engine", "command": {"execute": "no-such-command"}}));
    assert_eq!(reply["reply"]["error"]["class"], "CommandNotFound");
    let schema = guest
        .peer
        .ask(json!({"op": "engine", "command": {"execute": "query-qmp-schema"}}));
    assert!(schema["reply"]["return"].as_array().unwrap().len() > 500);
    guest.console.write_all(b"p").unwrap();
    assert_eq!(guest.launcher.code(), Some(0));
}

#[test]
fn the_power_button_shuts_a_guest_down() {
    let Some(mut guest) = booted() else { return };
    guest.launcher.signal(Signal::TERM);
    assert_eq!(guest.launcher.code(), Some(20));
}

#[test]
fn a_paused_guest_still_follows_the_power_button() {
    let Some(mut guest) = booted() else { return };
    guest
        .peer
        .ask(json!({"op": "engine", "command": {"execute": "stop"}}));
    guest
        .peer
        .ask(json!({"op": "shutdown", "graceSeconds": 30}));
    assert_eq!(guest.launcher.code(), Some(20));
}

#[test]
fn a_guest_that_resets_stays_in_its_engine() {
    let Some(mut guest) = booted() else { return };
    let pid = guest.peer.ask(json!({"op": "status"}))["enginePid"].clone();
    guest.console.write_all(b"r").unwrap();
    read_until(&mut guest.console, "boot>");
    assert_eq!(guest.peer.ask(json!({"op": "status"}))["enginePid"], pid);
    guest.peer.until(|event| event["qmp"]["event"] == "RESET");
}

#[test]
fn a_guest_that_panics_is_said_to() {
    let Some(mut guest) = booted() else { return };
    guest.console.write_all(b"c").unwrap();
    guest
        .peer
        .until(|event| event["qmp"]["event"] == "GUEST_PANICKED");
    assert_eq!(guest.launcher.code(), Some(30));
}

#[test]
fn an_engine_killed_from_outside_has_crashed() {
    let Some(mut guest) = booted() else { return };
    let pid = guest.peer.ask(json!({"op": "status"}))["enginePid"]
        .as_i64()
        .unwrap() as i32;
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL)
        .unwrap();
    assert_eq!(guest.launcher.code(), Some(31));
}

#[test]
fn an_engine_that_refuses_its_arguments_says_why() {
    let Some(program) = qemu() else { return };
    let mut launcher = Launcher::idle();
    let mut plan = launcher.plan(&[]);
    plan["engine"] = json!({"kind": "qemu", "program": program, "args": ["-device", "no-such-device", "-nodefaults"]});
    launcher.start(&plan, &[]);
    assert_eq!(launcher.code(), Some(32));
    assert!(
        launcher.termination_log().contains("no-such-device"),
        "{}",
        launcher.termination_log()
    );
}

/// A raw disk on which a guest has written the header of an image that lies over another file.
fn disguised() -> Vec<u8> {
    let mut disk = vec![0; 1 << 20];
    let backing = b"/etc/passwd";
    disk[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
    disk[8..16].copy_from_slice(&512u64.to_be_bytes());
    disk[16..20].copy_from_slice(&(backing.len() as u32).to_be_bytes());
    disk[512..512 + backing.len()].copy_from_slice(backing);
    disk
}

#[test]
fn a_raw_disk_is_raw_whatever_its_guest_has_written_on_it() {
    let Some(program) = qemu() else { return };
    let mut launcher = Launcher::idle();
    let disk = launcher.path("disk.img");
    std::fs::write(&disk, disguised()).unwrap();
    let mut plan = launcher.plan(&[]);
    // As the daemon writes it.
    let blockdev = format!(
        r#"{{"driver":"raw","node-name":"node0","read-only":false,"discard":"unmap","file":{{"driver":"file","filename":"{disk}","read-only":false,"discard":"unmap"}}}}"#
    );
    plan["engine"] = json!({"kind": "qemu", "program": program, "args": [
        "-nodefaults", "-no-user-config", "-display", "none", "-S", "-machine", "none",
        "-chardev", "socket,id=qmp,fd={fd:qmp}", "-mon", "chardev=qmp,mode=control", "-blockdev", blockdev,
    ]});
    plan["startPaused"] = json!(true);
    plan["files"] = json!([{"make": "raw", "path": disk, "bytes": 8 << 20}]);
    let mut peer = launcher.subscribe(1);
    launcher.start(&plan, &[]);
    peer.until_state("Running");
    let reply =
        peer.ask(json!({"op": "engine", "command": {"execute": "query-named-block-nodes"}}));
    let nodes = reply["reply"]["return"].as_array().unwrap();
    let node = nodes
        .iter()
        .find(|node| node["node-name"] == "node0")
        .unwrap();
    assert_eq!(
        (&node["drv"], &node["image"]["virtual-size"]),
        (&json!("raw"), &json!(1 << 20))
    );
    assert!(node["backing_file"].is_null(), "{node}");
    assert_eq!(nodes.len(), 2, "the disk and its file: {nodes:?}");
}
