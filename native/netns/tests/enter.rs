//! The real binary with real namespaces. Needs the right to make one; says so where it lacks that.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_wherry-netns");

/// A network namespace that goes away with its value.
struct Netns(String);

impl Netns {
    fn new(test: &str) -> Option<Netns> {
        let name = format!("wherry-netns-{}-{test}", std::process::id());
        if Command::new("ip")
            .args(["netns", "add", &name])
            .status()
            .is_ok_and(|status| status.success())
        {
            return Some(Netns(name));
        }
        eprintln!("skipped: no right to make a network namespace");
        None
    }

    fn path(&self) -> String {
        format!("/run/netns/{}", self.0)
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn run(arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(BINARY)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn rules_are_loaded_inside_and_not_outside() {
    if Command::new("nft").arg("--version").output().is_err() {
        eprintln!("skipped: nft is not installed");
        return;
    }
    let Some(netns) = Netns::new("rules") else {
        return;
    };
    let rules = "table ip wherry-netns-test { chain c { type filter hook input priority 0; }; }\n";
    let loaded = run(&[&netns.path(), "--", "nft", "-f", "-"], rules);
    assert!(loaded.status.success(), "{}", text(&loaded.stderr));
    let inside = run(&[&netns.path(), "--", "nft", "list", "tables"], "");
    assert!(text(&inside.stdout).contains("wherry-netns-test"));
    let outside = Command::new("nft")
        .args(["list", "tables"])
        .output()
        .unwrap();
    assert!(!text(&outside.stdout).contains("wherry-netns-test"));
}

#[test]
fn a_descriptor_is_entered_and_closed_before_the_program_runs() {
    let Some(netns) = Netns::new("fd") else {
        return;
    };
    // The shell gives its child descriptor 9, as a parent does that passes it through stdio.
    let script = format!(
        "exec 9<{}; {BINARY} 9 -- sh -c 'readlink /proc/self/ns/net; ls /proc/self/fd'",
        netns.path()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let said = text(&output.stdout);
    let mut lines = said.lines();
    let entered = lines.next().unwrap();
    let expected = std::fs::metadata(netns.path()).unwrap().ino();
    assert_eq!(entered, format!("net:[{expected}]"));
    assert!(!lines.any(|fd| fd == "9"), "{said}");
}

#[test]
fn the_exit_code_says_whose_failure_it_was() {
    let Some(netns) = Netns::new("codes") else {
        return;
    };
    let code = |arguments: &[&str]| run(arguments, "").status.code().unwrap();
    assert_eq!(code(&[&netns.path(), "--", "sh", "-c", "exit 3"]), 3);
    assert_eq!(code(&[&netns.path(), "--", "no-such-program"]), 127);
    assert_eq!(code(&[&netns.path(), "--", "/etc/passwd"]), 126);
    assert_eq!(code(&["/proc/self/ns/uts", "--", "true"]), 125);
    assert_eq!(code(&["/no/such/namespace", "--", "true"]), 125);
    assert_eq!(code(&["77", "--", "true"]), 125);
    assert_eq!(code(&["1", "--", "true"]), 125);
    assert_eq!(code(&["3"]), 125);
}
