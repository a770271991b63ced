use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use wherry_devices::virtio::block::{BLKDISCARD, BLKZEROOUT};

use super::*;

const CLASS: &str = "WHERRY_TEST_CLASS";
/// Has a block device read its partition table again.
const BLKRRPART: libc::c_ulong = 0x125f;
const CALL: &str = "WHERRY_TEST_CALL";

const TUNSETIFF: u32 = 0x4004_54ca;
const TUNSETOFFLOAD: u32 = 0x4004_54d0;

const CLASSES: [Class; 5] = [
    Class::Control,
    Class::Vcpu,
    Class::Device(Kind::Rng),
    Class::Device(Kind::Block),
    Class::Device(Kind::Net),
];

/// Runs `confined` below in a process of its own.
fn run(class: Class, call: &str) -> ExitStatus {
    let program = std::env::current_exe().unwrap();
    Command::new(program)
        .args([
            "sandbox::tests::confined",
            "--exact",
            "--ignored",
            "--test-threads=1",
        ])
        .env(CLASS, class.name())
        .env(CALL, call)
        .output()
        .unwrap()
        .status
}

/// Does one thing under one filter; the process ends with it.
#[test]
#[ignore = "the other tests here run it, in processes of their own"]
fn confined() {
    let named = |name: &str| std::env::var(name).unwrap();
    let class = CLASSES.into_iter().find(|it| it.name() == named(CLASS));
    let filter = Filter::new(class.unwrap()).unwrap();
    let call = named(CALL);
    rustix::thread::set_no_new_privs(true).unwrap();
    filter.apply().unwrap();
    // SAFETY: plain system calls, with arguments that are harmless or refused.
    let _ = unsafe {
        match call.as_str() {
            "nothing" => libc::syscall(libc::SYS_madvise, 0, 0, 0),
            "yield" => libc::syscall(libc::SYS_sched_yield),
            "open" => libc::syscall(libc::SYS_openat, -1, 0, 0),
            "socket" => libc::syscall(libc::SYS_socket, 1, 1, 0),
            "execve" => libc::syscall(libc::SYS_execve, 0, 0, 0),
            "clone" => libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0),
            "ptrace" => libc::syscall(libc::SYS_ptrace, 0, 0, 0, 0),
            "terminal" => libc::syscall(libc::SYS_ioctl, 0, libc::TIOCSTI, 0),
            "preadv" => libc::syscall(libc::SYS_preadv, -1, 0, 0, 0, 0),
            "pwritev2" => libc::syscall(libc::SYS_pwritev2, -1, 0, 0, 0, 0, 0),
            "fdatasync" => libc::syscall(libc::SYS_fdatasync, -1),
            "fallocate" => libc::syscall(libc::SYS_fallocate, -1, 0, 0, 1),
            "discard" => libc::syscall(libc::SYS_ioctl, -1, BLKDISCARD, 0),
            "zero" => libc::syscall(libc::SYS_ioctl, -1, BLKZEROOUT, 0),
            "reread" => libc::syscall(libc::SYS_ioctl, -1, BLKRRPART, 0),
            "offloads" => libc::syscall(libc::SYS_ioctl, -1, TUNSETOFFLOAD, 0),
            "interface" => libc::syscall(libc::SYS_ioctl, -1, TUNSETIFF, 0),
            "execmem" => {
                let rights = libc::PROT_READ | libc::PROT_EXEC;
                let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
                libc::syscall(libc::SYS_mmap, 0, 4096, rights, kind, -1, 0)
            }
            other => panic!("{other}"),
        }
    };
    // SAFETY: ends the process without the test runner's own calls.
    unsafe { libc::_exit(0) };
}

#[test]
fn what_a_class_may_do_does_not_end_it() {
    for class in CLASSES {
        for call in ["nothing", "yield"] {
            assert_eq!(run(class, call).code(), Some(0), "{class:?} {call}");
        }
    }
}

#[test]
fn what_no_class_may_do_ends_the_process() {
    let calls = [
        "open",
        "socket",
        "execve",
        "clone",
        "ptrace",
        "terminal",
        "execmem",
        "interface",
    ];
    for class in CLASSES {
        for call in calls {
            let signal = run(class, call).signal();
            assert_eq!(signal, Some(libc::SIGSYS), "{class:?} {call}");
        }
    }
}

#[test]
fn a_disk_may_do_what_disks_do_and_others_may_not() {
    let own = [
        "preadv",
        "pwritev2",
        "fdatasync",
        "fallocate",
        "discard",
        "zero",
    ];
    for call in own {
        let block = run(Class::Device(Kind::Block), call);
        assert_eq!(block.code(), Some(0), "{call}");
        let rng = run(Class::Device(Kind::Rng), call);
        assert_eq!(rng.signal(), Some(libc::SIGSYS), "{call}");
    }
    let reread = run(Class::Device(Kind::Block), "reread");
    assert_eq!(reread.signal(), Some(libc::SIGSYS));
}

#[test]
fn only_a_cards_thread_may_change_what_its_tap_does() {
    let net = Class::Device(Kind::Net);
    for class in CLASSES {
        let ended = run(class, "offloads");
        if class == net {
            assert_eq!(ended.code(), Some(0));
        } else {
            assert_eq!(ended.signal(), Some(libc::SIGSYS), "{class:?}");
        }
    }
}
