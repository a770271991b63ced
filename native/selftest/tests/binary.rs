//! The real binary on whatever KVM this machine has.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_wherry-kvm-selftest");

fn run(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().unwrap()
}

/// The one line that it prints.
fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn it_always_judges_and_its_verdict_fits_its_checks() {
    let report = report(&run(&[]));
    let checks = report["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["ok"] == false).count();
    match report["verdict"].as_str().unwrap() {
        "usable" => assert!(failed == 0 && checks.len() > 30),
        "broken" => assert!(failed > 0),
        "absent" => assert!(checks.is_empty() && report["cpuid"] == serde_json::json!([])),
        other => panic!("{other} is no verdict"),
    }
    assert!(!report["reason"].as_str().unwrap().is_empty());
    for entry in report["cpuid"].as_array().unwrap() {
        assert_eq!(entry.as_array().unwrap().len(), 6);
    }
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(report["kernel"], kernel.trim());
}

#[test]
fn a_descriptor_that_is_no_kvm_is_a_broken_one() {
    let script = format!("exec {BINARY} --kvm-fd 9 9</dev/null");
    let report = report(&Command::new("sh").args(["-c", &script]).output().unwrap());
    assert_eq!(report["verdict"], "broken");
    assert_eq!(report["checks"][0]["name"], "capabilities");
}

#[test]
fn an_inherited_kvm_is_judged_like_the_device() {
    let script = format!("exec {BINARY} --kvm-fd 9 9<>/dev/kvm");
    if std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_err()
    {
        eprintln!("skipped: this machine has no /dev/kvm that may be opened");
        return;
    }
    let inherited = report(&Command::new("sh").args(["-c", &script]).output().unwrap());
    assert_eq!(inherited["verdict"], report(&run(&[]))["verdict"]);
}

#[test]
fn it_ends_and_judges_even_without_any_time() {
    let begun = Instant::now();
    let report = report(&run(&["--timeout-ms", "0"]));
    // Had it been too quick for its watchdog, its verdict would rest on checks.
    let passed = report["verdict"] == "usable" && !report["checks"].as_array().unwrap().is_empty();
    assert!(passed || report["verdict"] != "usable", "{report}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_bad_command_line_is_no_judgement() {
    let output = run(&["--what"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage:"));
}
