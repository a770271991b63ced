//! The pod's own console: raw while a guest uses it, so that every key is the guest's, and never waited for.

use rustix::fd::BorrowedFd;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr};

/// Gives everything back when it is dropped.
pub struct Terminal {
    modes: Option<Termios>,
    flags: [Option<OFlags>; 2],
}

impl Terminal {
    pub fn take_over() -> Self {
        let modes = isatty(stdin()).then(|| tcgetattr(stdin()).ok()).flatten();
        if let Some(saved) = &modes {
            let mut raw = saved.clone();
            raw.make_raw();
            // A terminal that has just been hung up has no modes to set.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &raw);
        }
        Self {
            modes,
            flags: [stdin(), stdout()].map(without_waiting),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        for (fd, flags) in [stdin(), stdout()].into_iter().zip(self.flags) {
            if let Some(flags) = flags {
                let _ = fcntl_setfl(fd, flags);
            }
        }
        if let Some(modes) = &self.modes {
            let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
        }
    }
}

/// The flags it had before.
fn without_waiting(fd: BorrowedFd<'_>) -> Option<OFlags> {
    let flags = fcntl_getfl(fd).ok()?;
    fcntl_setfl(fd, flags | OFlags::NONBLOCK).ok()?;
    Some(flags)
}
