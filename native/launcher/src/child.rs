//! Processes of the launcher's: they get only what they are given, and end with it.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::io::{Errno, FdFlags, fcntl_setfd, read};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getpid, getppid, kill_process_group,
    set_parent_process_death_signal, setrlimit, wait, waitpid,
};

use crate::error::{OrFault, Result};
use crate::outcome::Exit;
use crate::signals;

/// Bytes of what a process complained about that are kept.
const TAIL: usize = 2048;
const CHUNK: usize = 1024;
/// Reads before others have their turn: a process may complain without end.
const AT_ONCE: usize = 16;
/// Reads that empty a pipe, which holds 64 KiB.
const WHOLE_PIPE: usize = 128;

/// What a process may use at most.
#[derive(Clone, Copy)]
pub struct Limits {
    pub memory_bytes: u64,
    pub cpu_seconds: u64,
}

pub struct Child {
    pid: Pid,
    output: Option<OwnedFd>,
    tail: Vec<u8>,
}

impl Child {
    /// Runs the command in a process group of its own, with an environment of `PATH` alone and these descriptors besides the
    /// standard ones. It dies when the launcher does.
    pub fn spawn(
        command: &mut Command,
        inherited: &[BorrowedFd<'_>],
        limits: Option<Limits>,
    ) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let doing = || format!("running {program}");
        let (output, input) = pipe_with(PipeFlags::CLOEXEC).or_fault(doing)?;
        rustix::io::ioctl_fionbio(&output, true).or_fault(doing)?;
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        command
            .env_clear()
            .env("PATH", path)
            .process_group(0)
            .stdin(Stdio::null());
        command
            .stdout(input.try_clone().or_fault(doing)?)
            .stderr(input);
        let numbers: Vec<i32> = inherited.iter().map(AsRawFd::as_raw_fd).collect();
        let parent = getpid();
        // SAFETY: between fork and exec the closure makes system calls and allocates nothing; the descriptors are borrowed
        // for the whole of this function, so their numbers are still theirs.
        unsafe {
            command.pre_exec(move || become_child(parent, &numbers, limits));
        }
        let spawned = command.spawn().or_fault(doing)?;
        // The command keeps its ends of the pipe, without which the end of the output would never be seen.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let pid = Pid::from_child(&spawned);
        Ok(Self {
            pid,
            output: Some(output),
            tail: Vec::new(),
        })
    }

    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// SIGKILL to the process and all that it has started. It is ours to reap, so its number is not yet another's.
    pub fn kill(&self) {
        // Fails only where it has ended already.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// Where its complaints can be waited for; `None` once it has closed its output.
    pub fn output(&self) -> Option<&OwnedFd> {
        self.output.as_ref()
    }

    /// Reads some of what is there and keeps the end of it.
    pub fn listen(&mut self) {
        self.read(AT_ONCE);
    }

    fn read(&mut self, times: usize) {
        for _ in 0..times {
            let Some(output) = &self.output else { return };
            let mut bytes = [0; CHUNK];
            match read(output, &mut bytes) {
                Ok(0) => self.output = None,
                Ok(length) => {
                    self.tail
                        .extend_from_slice(bytes.get(..length).unwrap_or_default());
                    self.tail.drain(..self.tail.len().saturating_sub(TAIL));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.output = None,
            }
        }
    }

    /// The end of what it wrote to stdout and stderr, as one line of plain text.
    pub fn complaint(&mut self) -> String {
        self.read(WHOLE_PIPE);
        plain(&self.tail)
    }
}

/// A guest may have chosen some of these bytes, and people read them in terminals.
pub fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            line.chars()
                .filter(|sign| !sign.is_control())
                .collect::<String>()
                .trim()
                .to_string()
        })
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("; ")
}

fn become_child(parent: Pid, inherited: &[i32], limits: Option<Limits>) -> std::io::Result<()> {
    signals::unblock_all()?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != Some(parent) {
        // It died before it could be watched.
        return Err(Errno::SRCH.into());
    }
    if let Some(Limits {
        memory_bytes,
        cpu_seconds,
    }) = limits
    {
        let exactly = |value| Rlimit {
            current: Some(value),
            maximum: Some(value),
        };
        setrlimit(Resource::As, exactly(memory_bytes))?;
        setrlimit(Resource::Cpu, exactly(cpu_seconds))?;
    }
    for number in inherited {
        // SAFETY: the caller of spawn holds the descriptor open.
        let descriptor = unsafe { BorrowedFd::borrow_raw(*number) };
        fcntl_setfd(descriptor, FdFlags::empty())?;
    }
    Ok(())
}

/// The next process that has ended: this one, or any, orphans that were left to PID 1 included. `None` when there is none yet.
pub fn reap(pid: Option<i32>) -> Option<(i32, Exit)> {
    loop {
        let waited = match pid.and_then(Pid::from_raw) {
            Some(pid) => waitpid(Some(pid), WaitOptions::NOHANG),
            None => wait(WaitOptions::NOHANG),
        };
        match waited {
            Ok(Some((pid, status))) => {
                // Neither stopped nor continued processes are asked for.
                let exit = exit_of(status)?;
                return Some((pid.as_raw_nonzero().get(), exit));
            }
            Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return None,
        }
    }
}

fn exit_of(status: WaitStatus) -> Option<Exit> {
    let by_signal = || status.terminating_signal().map(Exit::Signal);
    status.exit_status().map(Exit::Code).or_else(by_signal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::time::Duration;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn end(child: &Child) -> Exit {
        loop {
            match reap(Some(child.pid())) {
                Some((_, exit)) => return exit,
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    fn run(script: &str) -> (Exit, String) {
        let mut child = Child::spawn(&mut shell(script), &[], None).unwrap();
        (end(&child), child.complaint())
    }

    #[test]
    fn its_exit_and_its_words_are_known() {
        assert_eq!(
            run("echo one; echo two >&2; exit 3"),
            (Exit::Code(3), "one; two".into())
        );
        assert_eq!(run("kill -6 $$").0, Exit::Signal(6));
    }

    #[test]
    fn only_the_end_of_its_words_is_kept_and_no_control_characters() {
        let mut child = Child::spawn(
            &mut shell("seq 1 900; printf '\\033[2Jend\\007'"),
            &[],
            None,
        )
        .unwrap();
        while child.output().is_some() {
            child.listen();
        }
        end(&child);
        let complaint = child.complaint();
        assert!(
            complaint.len() <= TAIL * 2 && complaint.ends_with("899; 900; [2Jend"),
            "{complaint}"
        );
    }

    #[test]
    fn it_gets_nothing_but_what_it_is_given() {
        let scratch = Scratch::new();
        let [given, kept] = ["given", "kept"].map(|name| File::create(scratch.path(name)).unwrap());
        let script = "readlink /proc/$$/fd/* | tr '\\n' ' '; env | cut -d= -f1 | sort | tr '\\n' ' '; tr -d '\\0' < /proc/$$/status | grep -c 'SigBlk:.*[1-9a-f]'";
        let mut child = Child::spawn(&mut shell(script), &[given.as_fd()], None).unwrap();
        end(&child);
        let words = child.complaint();
        let words: Vec<&str> = words.split_whitespace().collect();
        assert!(words.contains(&scratch.text("given").as_str()), "{words:?}");
        assert!(!words.contains(&scratch.text("kept").as_str()), "{words:?}");
        drop(kept);
        assert!(
            words.contains(&"PATH") && !words.contains(&"HOME"),
            "{words:?}"
        );
        assert_eq!(words.last(), Some(&"0"), "no signal is blocked: {words:?}");
    }

    #[test]
    fn a_kill_reaches_what_it_has_started() {
        let child = Child::spawn(&mut shell("sleep 1000 & wait"), &[], None).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        child.kill();
        assert_eq!(end(&child), Exit::Signal(9));
        // The sleep held the pipe's other end.
        let mut child = child;
        for _ in 0..100 {
            child.listen();
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(child.output().is_none());
    }

    #[test]
    fn limits_hold() {
        let limits = Limits {
            memory_bytes: 64 << 20,
            cpu_seconds: 1,
        };
        let child = Child::spawn(
            &mut shell("ulimit -v | grep -qx 65536 && while :; do :; done"),
            &[],
            Some(limits),
        )
        .unwrap();
        assert!(matches!(end(&child), Exit::Signal(_)));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let fault = Child::spawn(&mut Command::new("/no/engine"), &[], None)
            .err()
            .unwrap();
        assert!(
            fault
                .to_string()
                .contains("running /no/engine: No such file"),
            "{fault}"
        );
    }
}
