//! `wherry-kvm-selftest [--kvm-fd <number>] [--timeout-ms <number>]`
//!
//! Runs a small guest on this machine's KVM and prints one line of JSON: `verdict` (usable, broken or absent), `reason`,
//! `checks`, `kernel`, `apiVersion`, `cpuid`. Exits 0 whenever it could judge, 2 for a bad command line. It ends by itself after the
//! time-out (10 s by default); whoever runs it kills it a little later, for the case that the kernel does not let go of it.

mod checks;
mod expectations;
mod failure;
mod features;
mod image;
mod instructions;
mod layout;
mod machine;
mod memory;
mod registers;
mod report;
mod state;
mod suite;
mod watchdog;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use suite::{SharedReport, Source, lock};

const USAGE: &str = "usage: wherry-kvm-selftest [--kvm-fd <number>] [--timeout-ms <number>]";

#[derive(Debug, PartialEq, Eq)]
struct Options {
    kvm_fd: Option<i32>,
    timeout: Duration,
}

fn main() -> ExitCode {
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let report = SharedReport::default();
    let watched = watchdog::guard(options.timeout, report.clone(), print)
        .and_then(|()| watchdog::start_clock());
    if let Err(error) = watched {
        eprintln!("wherry-kvm-selftest: starting the watchdog: {error}");
        return ExitCode::FAILURE;
    }
    suite::run(
        options.kvm_fd.map_or(Source::Device, Source::Inherited),
        &report,
    );
    print(&report);
    ExitCode::SUCCESS
}

/// Keeps the report locked for good, so that it is printed once.
fn print(report: &SharedReport) {
    let report = lock(report);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut line = report.to_json(kernel.trim()).to_string();
    line.push('\n');
    let mut out = std::io::stdout();
    // A reader that has gone away is the only failure possible, and nobody is left to tell.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    std::mem::forget(report);
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        kvm_fd: None,
        timeout: Duration::from_secs(10),
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        match name.as_str() {
            "--kvm-fd" => options.kvm_fd = Some(value.parse().ok().filter(|fd| *fd > 2)?),
            "--timeout-ms" => options.timeout = Duration::from_millis(value.parse().ok()?),
            _ => return None,
        }
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Options> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn without_arguments_the_device_is_opened_and_ten_seconds_are_given() {
        assert_eq!(
            parsed(""),
            Some(Options {
                kvm_fd: None,
                timeout: Duration::from_secs(10)
            })
        );
    }

    #[test]
    fn a_descriptor_and_a_time_may_be_given() {
        let options = parsed("--kvm-fd 3 --timeout-ms 250");
        assert_eq!(
            options,
            Some(Options {
                kvm_fd: Some(3),
                timeout: Duration::from_millis(250)
            })
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [
            "--kvm-fd",
            "--kvm-fd x",
            "--kvm-fd 1",
            "--timeout-ms -1",
            "--verbose 1",
            "3",
        ] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}
