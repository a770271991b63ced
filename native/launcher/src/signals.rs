//! Signals as a descriptor to wait on. SIGHUP and SIGPIPE are taken and forgotten.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::{Errno, read};

use crate::error::{OrFault, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// The pod is to end.
    Terminate,
    /// At least one child has ended.
    Child,
}

pub struct Signals {
    fd: OwnedFd,
}

impl Signals {
    /// Blocks the signals for this thread and all it starts: do this before anything else.
    pub fn take_over() -> Result<Self> {
        let doing = || "taking over the signals";
        let set = set_of(&[libc::SIGTERM, libc::SIGCHLD, libc::SIGHUP, libc::SIGPIPE]);
        mask(libc::SIG_BLOCK, &set).or_fault(doing)?;
        // SAFETY: the set is initialized and lives through the call, which makes a new descriptor or fails.
        let fd =
            unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error()).or_fault(doing);
        }
        // SAFETY: the descriptor is new and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd })
    }

    /// What has come since the last call.
    pub fn arrived(&self) -> Vec<Arrived> {
        let mut arrived = Vec::new();
        loop {
            let mut record = [0; size_of::<libc::signalfd_siginfo>()];
            match read(&self.fd, &mut record) {
                Ok(_) => arrived.extend(meaning(&record)),
                Err(Errno::INTR) => {}
                Err(_) => return arrived,
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The number is the first field of a record.
fn meaning(record: &[u8]) -> Option<Arrived> {
    let number = record
        .first_chunk()
        .map(|bytes| i32::from_ne_bytes(*bytes))?;
    match number {
        libc::SIGTERM => Some(Arrived::Terminate),
        libc::SIGCHLD => Some(Arrived::Child),
        _ => None,
    }
}

/// For a child between fork and exec: allocates nothing.
pub fn unblock_all() -> io::Result<()> {
    mask(libc::SIG_SETMASK, &set_of(&[]))
}

fn set_of(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initializes the set, sigaddset changes an initialized one; neither fails for valid signals.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        set.assume_init()
    }
}

fn mask(how: i32, set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: the set is initialized; the former mask is not asked for.
    match unsafe { libc::pthread_sigmask(how, set, std::ptr::null_mut()) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raise(signal: i32) {
        // SAFETY: sends a signal to this thread alone, which has blocked it.
        unsafe { libc::pthread_kill(libc::pthread_self(), signal) };
    }

    #[test]
    fn signals_arrive_on_the_descriptor_and_hang_ups_are_forgotten() {
        let signals = Signals::take_over().unwrap();
        assert_eq!(signals.arrived(), []);
        raise(libc::SIGHUP);
        raise(libc::SIGPIPE);
        raise(libc::SIGTERM);
        raise(libc::SIGCHLD);
        let mut arrived = signals.arrived();
        arrived.sort_by_key(|one| *one as u8);
        assert_eq!(arrived, [Arrived::Terminate, Arrived::Child]);
        assert_eq!(signals.arrived(), []);
    }
}
