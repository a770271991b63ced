//! The serial console: what the guest says goes to the pod's log and to every reader, what they type goes to the guest. All
//! readers share one history; each has its place in it, and one that is too slow loses the oldest bytes, never the guest its time.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::event::PollFlags;
use rustix::io::{Errno, fcntl_dupfd_cloexec, read, write};

use crate::error::{OrFault, Result};
use crate::history::History;
use crate::listener::{Listener, MAX_CONNECTIONS};

/// Most bytes typed ahead of a guest that does not read; then its writers wait.
const MAX_TYPED: usize = 4096;
const CHUNK: usize = 4096;

pub struct Console {
    listener: Listener,
    guest: Option<OwnedFd>,
    history: History,
    typed: Vec<u8>,
    attached: Vec<Attached>,
    last_id: u64,
}

/// A reader, a writer, or both.
struct Attached {
    id: u64,
    fd: OwnedFd,
    /// Where it is in the history; `None` if it only types.
    reads_at: Option<u64>,
    types: bool,
    /// Standard input and output are no connections and do not count as such.
    is_connection: bool,
}

impl Console {
    pub fn listen(path: &Path) -> Result<Self> {
        Ok(Self {
            listener: Listener::bind(path)?,
            guest: None,
            history: History::default(),
            typed: Vec::new(),
            attached: Vec::new(),
            last_id: 0,
        })
    }

    /// Attaches the pod's own console. Both must be non-blocking.
    pub fn attach_stdio(&mut self, stdin: BorrowedFd<'_>, stdout: BorrowedFd<'_>) -> Result<()> {
        let duplicate =
            |fd| fcntl_dupfd_cloexec(fd, 3).or_fault(|| "duplicating a standard descriptor");
        self.attach(duplicate(stdin)?, false, true, false);
        self.attach(duplicate(stdout)?, true, false, false);
        Ok(())
    }

    /// What the guest says goes to connections alone from now on, and not to the pod's log.
    pub fn detach_stdout(&mut self) {
        self.attached.retain(|one| one.is_connection || one.types);
    }

    /// The launcher's end of the guest's serial port, non-blocking.
    pub fn connect_guest(&mut self, serial: OwnedFd) {
        self.guest = Some(serial);
    }

    /// A line of the launcher's own, among the guest's.
    pub fn say(&mut self, text: &str) {
        self.history
            .push(format!("\r\nwherry-launcher: {text}\r\n").as_bytes());
    }

    pub fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// The guest's port and what is waited for on it.
    pub fn guest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let out = if self.typed.is_empty() {
            PollFlags::empty()
        } else {
            PollFlags::OUT
        };
        self.guest
            .as_ref()
            .map(|guest| (guest.as_fd(), PollFlags::IN | out))
    }

    /// Those attached by their ids, and what is waited for on them.
    pub fn waits(&self) -> impl Iterator<Item = (u64, BorrowedFd<'_>, PollFlags)> {
        let has_room = self.typed.len() < MAX_TYPED;
        self.attached.iter().map(move |one| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, one.types && has_room);
            flags.set(
                PollFlags::OUT,
                one.reads_at.is_some_and(|at| at < self.history.end()),
            );
            (one.id, one.fd.as_fd(), flags)
        })
    }

    pub fn accept(&mut self) {
        while let Some(connection) = self.listener.accept() {
            if self.attached.iter().filter(|one| one.is_connection).count() < MAX_CONNECTIONS {
                self.attach(connection, true, true, true);
            }
        }
    }

    fn attach(&mut self, fd: OwnedFd, reads: bool, types: bool, is_connection: bool) {
        self.last_id += 1;
        let reads_at = reads.then(|| self.history.start());
        self.attached.push(Attached {
            id: self.last_id,
            fd,
            reads_at,
            types,
            is_connection,
        });
    }

    /// Reads what the guest has said and writes what was typed. Returns false when its port is closed.
    pub fn serve_guest(&mut self) -> bool {
        let Some(guest) = &self.guest else {
            return false;
        };
        let open = pull(guest.as_fd(), |bytes| self.history.push(bytes))
            && push(guest.as_fd(), &mut self.typed);
        if !open {
            self.guest = None;
        }
        open
    }

    /// `ready` is what poll said of this one.
    pub fn serve(&mut self, id: u64, ready: PollFlags) {
        let Some(at) = self.attached.iter().position(|one| one.id == id) else {
            return;
        };
        let Some(one) = self.attached.get_mut(at) else {
            return;
        };
        if ready.intersects(PollFlags::IN | PollFlags::HUP) && one.types {
            let typed = &mut self.typed;
            // The end of the input need not be the end of the interest in the output.
            one.types = read_once(one.fd.as_fd(), |bytes| typed.extend_from_slice(bytes));
        }
        let hung_up = ready.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
        if hung_up && !one.types {
            one.reads_at = None;
        }
        if !one.types && one.reads_at.is_none() {
            self.attached.remove(at);
        }
    }

    /// Gives every reader what it takes now.
    pub fn flush(&mut self) {
        for one in &mut self.attached {
            while let Some(at) = one.reads_at {
                let (at, bytes) = self.history.from(at);
                if bytes.is_empty() {
                    break;
                }
                match write(&one.fd, bytes) {
                    Ok(written) => one.reads_at = Some(at + written as u64),
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => break,
                    Err(_) => one.reads_at = None,
                }
            }
        }
        self.attached
            .retain(|one| one.types || one.reads_at.is_some());
    }

    /// The end of what was said, as long as a new reader would get it.
    pub fn tail(&self) -> Vec<u8> {
        let mut tail = Vec::new();
        let mut at = self.history.start();
        loop {
            let (from, bytes) = self.history.from(at);
            if bytes.is_empty() {
                return tail;
            }
            tail.extend_from_slice(bytes);
            at = from + bytes.len() as u64;
        }
    }

    pub fn all_written(&self) -> bool {
        self.attached
            .iter()
            .all(|one| one.reads_at.is_none_or(|at| at >= self.history.end()))
    }
}

/// Reads until nothing is there; false at the end or on an error.
fn pull(fd: BorrowedFd<'_>, mut take: impl FnMut(&[u8])) -> bool {
    // A guest that never stops talking must leave time for the others.
    for _ in 0..16 {
        let mut bytes = [0; CHUNK];
        match read(fd, &mut bytes) {
            Ok(0) => return false,
            Ok(length) => take(bytes.get(..length).unwrap_or_default()),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return true,
            Err(_) => return false,
        }
    }
    true
}

fn read_once(fd: BorrowedFd<'_>, mut take: impl FnMut(&[u8])) -> bool {
    let mut bytes = [0; CHUNK];
    match read(fd, &mut bytes) {
        Ok(0) => false,
        Ok(length) => {
            take(bytes.get(..length).unwrap_or_default());
            true
        }
        Err(errno) => matches!(errno, Errno::INTR | Errno::AGAIN),
    }
}

/// Writes until it is all gone or nothing more is taken; false on an error.
fn push(fd: BorrowedFd<'_>, bytes: &mut Vec<u8>) -> bool {
    while !bytes.is_empty() {
        match write(fd, bytes) {
            Ok(written) => drop(bytes.drain(..written)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return true,
            Err(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests;
