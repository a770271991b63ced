//! Processes without the race of reused numbers.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags};

use crate::error::{Code, Error, Result};

const NO_WAIT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Opens a descriptor that stands for this process for ever.
///
/// `start_time` is field 22 of /proc/<pid>/stat in clock ticks since boot: given that, a process that merely got the same
/// number later is `ProcessGone`.
pub fn pidfd_open(pid: i32, start_time: Option<u64>) -> Result<OwnedFd> {
    let number = (pid > 0)
        .then(|| Pid::from_raw(pid))
        .flatten()
        .ok_or_else(|| Error::new(Code::InvalidArgument, format!("{pid} is no process number")))?;
    let fd = rustix::process::pidfd_open(number, PidfdFlags::empty())
        .map_err(|errno| Error::of_errno(format_args!("opening process {pid}"), errno))?;
    if let Some(expected) = start_time {
        // Read after the pidfd was opened and checked alive after that: all three are about one process.
        let found = read_start_time(pid)?;
        if found != expected || !is_alive(&fd)? {
            return Err(Error::new(
                Code::ProcessGone,
                format!("process {pid} is another one by now"),
            ));
        }
    }
    Ok(fd)
}

/// False once the process has exited, also while it waits to be reaped.
pub fn is_alive(pidfd: impl AsFd) -> Result<bool> {
    let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
    poll(&mut fds, Some(&NO_WAIT)).map_err(|errno| Error::of_errno("polling a pidfd", errno))?;
    let found = fds[0].revents();
    if found.contains(PollFlags::NVAL) {
        return Err(Error::new(Code::InvalidArgument, "not an open descriptor"));
    }
    Ok(!found.intersects(PollFlags::IN | PollFlags::HUP))
}

/// Opens the network namespace of a living process. `pidfd` proves that `pid` is still the process that is meant.
pub fn netns_of(pid: i32, pidfd: impl AsFd) -> Result<OwnedFd> {
    let path = format!("/proc/{pid}/ns/net");
    let opened = rustix::fs::openat(CWD, &path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    // Looked at after the open: alive now means that the number was not free in between.
    if !is_alive(pidfd)? {
        return Err(Error::new(
            Code::ProcessGone,
            format!("process {pid} is gone"),
        ));
    }
    opened.map_err(|errno| Error::of_errno(format_args!("opening {path}"), errno))
}

fn read_start_time(pid: i32) -> Result<u64> {
    let path = format!("/proc/{pid}/stat");
    match std::fs::read_to_string(&path) {
        Ok(stat) => parse_start_time(&stat).ok_or_else(|| {
            Error::new(
                Code::System,
                format!("{path} is not as the kernel documents it"),
            )
        }),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => Err(
            Error::new(Code::ProcessGone, format!("process {pid} is gone")),
        ),
        Err(error) => Err(Error::of_io(format_args!("reading {path}"), &error)),
    }
}

/// Field 22; the second field is the command in parentheses and may hold anything, spaces and parentheses included.
fn parse_start_time(stat: &str) -> Option<u64> {
    let (_, after) = stat.rsplit_once(") ")?;
    after.split(' ').nth(22 - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn own_start_time() -> u64 {
        read_start_time(std::process::id() as i32).unwrap()
    }

    #[test]
    fn a_living_process_is_alive_and_an_ended_one_is_not_even_before_it_is_reaped() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let fd = pidfd_open(child.id() as i32, None).unwrap();
        assert!(is_alive(&fd).unwrap());
        drop(child.stdin.take());
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!is_alive(&fd).unwrap());
        assert_eq!(
            netns_of(child.id() as i32, &fd).unwrap_err().code,
            Code::ProcessGone
        );
        child.wait().unwrap();
        assert_eq!(
            pidfd_open(child.id() as i32, None).unwrap_err().code,
            Code::ProcessGone
        );
    }

    #[test]
    fn another_process_of_the_same_number_is_refused() {
        let pid = std::process::id() as i32;
        assert!(pidfd_open(pid, Some(own_start_time())).is_ok());
        assert_eq!(
            pidfd_open(pid, Some(own_start_time() + 1))
                .unwrap_err()
                .code,
            Code::ProcessGone
        );
    }

    #[test]
    fn the_namespace_of_this_process_is_found() {
        let pid = std::process::id() as i32;
        let fd = pidfd_open(pid, None).unwrap();
        let found = rustix::fs::fstat(netns_of(pid, &fd).unwrap())
            .unwrap()
            .st_ino;
        assert_eq!(found, rustix::fs::stat("/proc/self/ns/net").unwrap().st_ino);
    }

    #[test]
    fn numbers_that_are_no_process_are_refused() {
        assert_eq!(pidfd_open(0, None).unwrap_err().code, Code::InvalidArgument);
        assert_eq!(
            pidfd_open(-1, None).unwrap_err().code,
            Code::InvalidArgument
        );
        assert_eq!(
            pidfd_open(i32::MAX, None).unwrap_err().code,
            Code::ProcessGone
        );
    }

    #[test]
    fn the_start_time_is_found_behind_any_command_name() {
        let rest = (3..=30)
            .map(|field| field.to_string())
            .collect::<Vec<_>>()
            .join(" ");
        for name in ["cat", "a b", "x) y", ") )"] {
            assert_eq!(parse_start_time(&format!("1 ({name}) {rest}")), Some(22));
        }
        assert_eq!(parse_start_time("1 (cat) 3 4"), None);
    }
}
