//! How a vCPU's thread is called out of the guest.

use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use kvm_ioctls::VcpuFd;
use rustix::thread::{Pid, gettid};

use crate::error::{Fault, Result};

/// Its handler does nothing: the signal is there to end KVM_RUN.
fn signal() -> i32 {
    libc::SIGRTMIN()
}

/// Once for the process, before any vCPU runs.
pub fn install_handler() -> Result<()> {
    extern "C" fn ignore(_: i32) {}
    // SAFETY: all-zero is a valid sigaction; it is filled in below.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // Without SA_RESTART: the call that it interrupts shall fail.
    action.sa_sigaction = ignore as extern "C" fn(i32) as usize;
    // SAFETY: the action is initialised and its handler touches nothing.
    let set = unsafe { libc::sigaction(signal(), &action, ptr::null_mut()) };
    if set == 0 {
        Ok(())
    } else {
        Err(Fault::new("setting the handler of the vCPUs' signal"))
    }
}

/// Points into a vCPU's shared page, and so must not outlive the vCPU.
pub struct Kick {
    immediate_exit: *const AtomicU8,
    thread: Pid,
}

// SAFETY: an atomic in memory that all threads share, and a number.
unsafe impl Send for Kick {}

impl Kick {
    /// For the calling thread, which is the vCPU's.
    pub fn new(vcpu: &mut VcpuFd) -> Kick {
        let immediate_exit = &raw mut vcpu.get_kvm_run().immediate_exit;
        Kick {
            immediate_exit: immediate_exit.cast_const().cast(),
            thread: gettid(),
        }
    }

    pub fn thread_id(&self) -> i32 {
        self.thread.as_raw_nonzero().get()
    }

    /// The vCPU leaves the guest, or does not enter it, until the flag is cleared. KVM looks at the flag after it has let signals
    /// through, so one of the two ends every run.
    ///
    /// # Safety
    /// The vCPU still exists.
    pub unsafe fn kick(&self) {
        // SAFETY: the page is mapped as long as the vCPU exists, which the caller knows.
        unsafe { &*self.immediate_exit }.store(1, Ordering::SeqCst);
        // SAFETY: a plain system call; the thread is one of ours.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), self.thread_id(), signal()) };
    }
}
