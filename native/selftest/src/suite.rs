//! Runs all checks one after the other and writes what it sees into the report.

use std::os::fd::{FromRawFd, IntoRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use kvm_bindings::KVM_MAX_CPUID_ENTRIES;
use kvm_ioctls::Kvm;

use crate::checks::{self, MACHINE_CHECKS, Outcome};
use crate::failure::Failure;
use crate::instructions::{INSTRUCTIONS, Instruction, READ_MSRS};
use crate::layout;
use crate::machine::Machine;
use crate::report::{Check, Report};
use crate::state::STATE_CHECKS;

/// The report that the watchdog prints if the suite does not come back.
pub type SharedReport = Arc<Mutex<Report>>;

/// A report is data: it is good even if a thread died while it held it.
pub fn lock(report: &SharedReport) -> MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where KVM comes from.
pub enum Source {
    Device,
    /// An open /dev/kvm that the parent left to this process.
    Inherited(RawFd),
}

pub fn run(source: Source, report: &SharedReport) {
    match open(source) {
        Ok(kvm) => {
            let mut suite = Suite {
                kvm,
                machine: None,
                report,
            };
            suite.run();
            // Closing a VM waits for the kernel's grace periods; whoever reads the report need not.
            std::mem::forget(suite);
        }
        Err(Unavailable::Absent(reason)) => lock(report).absent = Some(reason),
        Err(Unavailable::Broken(reason)) => {
            observe(report, "open", || Err(Failure(reason)));
        }
    }
    lock(report).finished = true;
}

struct Suite<'a> {
    kvm: Kvm,
    machine: Option<Machine>,
    report: &'a SharedReport,
}

impl Suite<'_> {
    fn run(&mut self) {
        lock(self.report).api_version = Some(self.kvm.get_api_version());
        let kvm = &self.kvm;
        lock(self.report).cpuid = supported_cpuid(kvm);
        if !observe(self.report, "capabilities", || checks::capabilities(kvm))
            || !self.make_machine("create-vm")
        {
            return;
        }
        for check in MACHINE_CHECKS {
            self.check(check.name, check.run);
        }
        for instruction in INSTRUCTIONS {
            self.check(instruction.name, |_, machine| try_out(instruction, machine));
        }
        for check in STATE_CHECKS {
            self.check(check.name, check.run);
        }
    }

    /// Runs one check on the machine of those before it, or on a new one when the last check left it unfit.
    fn check(&mut self, name: &'static str, run: impl Fn(&Kvm, &mut Machine) -> Outcome) {
        let (kvm, machine) = (&self.kvm, &mut self.machine);
        let passed = observe(self.report, name, || {
            if machine.is_none() {
                *machine = Some(Machine::new(kvm)?);
            }
            machine.as_mut().map_or_else(
                || Err(Failure("no machine".into())),
                |machine| run(kvm, machine),
            )
        });
        if !passed {
            std::mem::forget(self.machine.take());
        }
    }

    fn make_machine(&mut self, name: &'static str) -> bool {
        self.check(name, |_, _| Ok(String::new()));
        self.machine.is_some()
    }
}

/// Nothing where KVM does not say: then it fails a check as well.
fn supported_cpuid(kvm: &Kvm) -> Vec<[u32; 6]> {
    let entries = kvm.get_supported_cpuid(KVM_MAX_CPUID_ENTRIES);
    entries.map_or_else(
        |_| Vec::new(),
        |entries| {
            entries
                .as_slice()
                .iter()
                .map(|one| [one.function, one.index, one.eax, one.ebx, one.ecx, one.edx])
                .collect()
        },
    )
}

fn try_out(instruction: &Instruction, machine: &mut Machine) -> Outcome {
    if !(instruction.present)(machine.features) {
        return Ok("the processor lacks it".into());
    }
    machine.prepare(&instruction.start(machine.features))?;
    for (at, number) in READ_MSRS.iter().enumerate() {
        machine
            .memory
            .write(layout::MSR_LIST + at as u64 * 4, &number.to_le_bytes());
    }
    machine.resume()?;
    Ok(String::new())
}

/// Times a check and writes it down; true if it passed.
fn observe(report: &SharedReport, name: &'static str, run: impl FnOnce() -> Outcome) -> bool {
    lock(report).current = Some(name);
    let begun = Instant::now();
    let outcome = run();
    let took = begun.elapsed();
    let (ok, detail) = match outcome {
        Ok(detail) => (true, detail),
        Err(failure) => (false, failure.0),
    };
    let mut report = lock(report);
    report.current = None;
    report.checks.push(Check {
        name,
        ok,
        detail,
        took,
    });
    ok
}

enum Unavailable {
    /// The machine has no KVM.
    Absent(String),
    /// It has one that cannot be used.
    Broken(String),
}

fn open(source: Source) -> Result<Kvm, Unavailable> {
    let fd = match source {
        Source::Inherited(fd) => fd,
        Source::Device => std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/kvm")
            .map_err(|error| match error.raw_os_error() {
                Some(libc::ENOENT) => Unavailable::Absent("there is no /dev/kvm".into()),
                Some(libc::ENODEV | libc::ENXIO) => {
                    Unavailable::Absent("/dev/kvm is there without a KVM behind it: is virtualization on in the firmware?".into())
                }
                _ => Unavailable::Broken(format!("/dev/kvm cannot be opened: {error}")),
            })?
            .into_raw_fd(),
    };
    // SAFETY: open and given up to us, by the parent or by the line above.
    Ok(unsafe { Kvm::from_raw_fd(fd) })
}
