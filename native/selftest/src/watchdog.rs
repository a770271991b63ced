//! A clock that ticks through the suite, and an end for the case that ticking does not help.

use std::io;
use std::mem::zeroed;
use std::time::Duration;

use crate::suite::SharedReport;

/// How often a running vCPU is interrupted so that its program's time can be looked at.
const TICK_US: i64 = 20_000;

/// Sends this process SIGALRM again and again. KVM_RUN comes back with EINTR each time, most other calls are restarted.
/// A single alarm would not do: it could hit just before the vCPU enters and be lost.
pub fn start_clock() -> io::Result<()> {
    extern "C" fn ignore(_: libc::c_int) {}
    // SAFETY: sigaction is plain data for which all zero is valid; the handler does nothing, so it is safe at any time; all
    // pointers are valid for the calls.
    let result = unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_RESTART;
        let tick = libc::timeval {
            tv_sec: 0,
            tv_usec: TICK_US,
        };
        let timer = libc::itimerval {
            it_interval: tick,
            it_value: tick,
        };
        libc::sigaction(libc::SIGALRM, &action, std::ptr::null_mut())
            | libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut())
    };
    if result != 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// After `patience` prints what the report has by then and ends the process, wherever the suite hangs.
pub fn guard(patience: Duration, report: SharedReport, print: fn(&SharedReport)) -> io::Result<()> {
    let body = move || {
        std::thread::sleep(patience);
        print(&report);
        // SAFETY: ends the process without running anything of it; exit() could wait for the thread that hangs.
        unsafe { libc::_exit(0) }
    };
    // Signals stay with the thread that runs the vCPU: this one blocks them, and those that it starts would too.
    let old = block(libc::SIG_BLOCK, &alarm_set())?;
    let spawned = std::thread::Builder::new()
        .name("watchdog".into())
        .spawn(body);
    block(libc::SIG_SETMASK, &old)?;
    spawned.map(drop)
}

fn alarm_set() -> libc::sigset_t {
    // SAFETY: sigset_t is plain data; both calls write to it alone.
    unsafe {
        let mut set = zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGALRM);
        set
    }
}

fn block(how: libc::c_int, set: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    // SAFETY: sigset_t is plain data; both pointers are valid for the call.
    let (result, old) = unsafe {
        let mut old = zeroed();
        (libc::pthread_sigmask(how, set, &mut old), old)
    };
    if result != 0 {
        Err(io::Error::from_raw_os_error(result))
    } else {
        Ok(old)
    }
}
