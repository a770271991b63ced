//! What the process gives up before the guest runs: capabilities, new privileges, and for each kind of thread every system call
//! that it does not need. A call that is not on its list ends the process.

mod calls;

use seccompiler::BpfProgram;
use wherry_devices::virtio::Kind;

use crate::error::{Fault, OrFault, Result};

/// Kinds of threads, each with its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Control,
    Vcpu,
    Device(Kind),
}

impl Class {
    pub fn name(self) -> &'static str {
        match self {
            Class::Control => "control",
            Class::Vcpu => "vcpu",
            Class::Device(kind) => kind.name(),
        }
    }
}

/// For the whole process, while it has one thread.
pub fn give_up_privileges() -> Result<()> {
    rustix::thread::set_no_new_privs(true).or_fault("PR_SET_NO_NEW_PRIVS")?;
    let none = rustix::thread::CapabilitySets {
        effective: rustix::thread::CapabilitySet::empty(),
        permitted: rustix::thread::CapabilitySet::empty(),
        inheritable: rustix::thread::CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, none).or_fault("giving up capabilities")
}

/// A class's filter, made once and put on by each of its threads.
pub struct Filter(BpfProgram);

impl Filter {
    pub fn new(class: Class) -> Result<Filter> {
        calls::program(class)
            .map(Filter)
            .or_fault("making a seccomp filter")
    }

    /// On the calling thread, for good.
    pub fn apply(&self) -> Result<()> {
        seccompiler::apply_filter(&self.0)
            .map_err(|error| Fault::new(format!("putting on a seccomp filter: {error}")))
    }
}

#[cfg(test)]
mod tests;
