//! The engine's process with the ends of its channels that are ours.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::Command;

use rustix::event::PollFlags;
use rustix::io::{Errno, read};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};

use crate::child::Child;
use crate::error::{Fault, OrFault, Result};
use crate::plan::Plan;
use crate::qmp::{Channel, Message};

const CHUNK: usize = 16 * 1024;
/// Reads before others have their turn: an engine that never stops talking must leave them time.
const AT_ONCE: usize = 16;

pub struct Engine {
    pub child: Child,
    pub channel: Channel,
    control: Option<OwnedFd>,
}

impl Engine {
    /// Starts the plan's engine, which inherits the descriptors that its arguments name or have opened, and no others. Returns with it our end
    /// of its serial port, non-blocking.
    pub fn spawn(plan: &Plan, descriptors: &BTreeMap<String, OwnedFd>) -> Result<(Self, OwnedFd)> {
        let (control, its_control) = pair()?;
        let (serial, its_serial) = pair()?;
        let mut named: BTreeMap<&str, BorrowedFd<'_>> = descriptors
            .iter()
            .map(|(name, fd)| (name.as_str(), fd.as_fd()))
            .collect();
        named.insert("qmp", its_control.as_fd());
        named.insert("serial0", its_serial.as_fd());
        named.retain(|name, _| {
            plan.engine
                .args
                .iter()
                .any(|argument| argument.contains(&format!("{{fd:{name}}}")))
        });
        let numbers = named
            .iter()
            .map(|(name, fd)| ((*name).to_string(), fd.as_raw_fd()))
            .collect();
        let (arguments, opened) = plan.arguments(&numbers).map_err(Fault::new)?;
        let opened = opened.iter().map(AsFd::as_fd);
        let inherited: Vec<BorrowedFd<'_>> = named.into_values().chain(opened).collect();
        let child = Child::spawn(
            Command::new(&plan.engine.program).args(arguments),
            &inherited,
            None,
        )?;
        Ok((
            Self {
                child,
                channel: Channel::default(),
                control: Some(control),
            },
            serial,
        ))
    }

    /// The control channel and what is waited for on it; `None` once the engine has closed it.
    pub fn control(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let out = if self.channel.unsent().is_empty() {
            PollFlags::empty()
        } else {
            PollFlags::OUT
        };
        self.control
            .as_ref()
            .map(|control| (control.as_fd(), PollFlags::IN | out))
    }

    /// What the engine has said since the last call, up to a bound; and whether there may be more.
    pub fn receive(&mut self) -> (Vec<Message>, bool) {
        let mut messages = Vec::new();
        for _ in 0..AT_ONCE {
            let Some(control) = &self.control else {
                return (messages, false);
            };
            let mut bytes = [0; CHUNK];
            match read(control, &mut bytes) {
                Ok(0) => self.control = None,
                Ok(length) => messages.extend(
                    self.channel
                        .receive(bytes.get(..length).unwrap_or_default()),
                ),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return (messages, false),
                Err(_) => self.control = None,
            }
        }
        (messages, true)
    }

    /// Writes as much as the engine takes now.
    pub fn flush(&mut self) {
        while let (Some(control), [_, ..]) = (&self.control, self.channel.unsent()) {
            match send(control, self.channel.unsent(), SendFlags::NOSIGNAL) {
                Ok(sent) => self.channel.sent(sent),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // What it still had to say is read first.
                Err(_) => return self.channel.sent(usize::MAX),
            }
        }
    }
}

/// Ours, non-blocking, and the engine's.
fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let doing = || "making a channel to the engine";
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .or_fault(doing)?;
    rustix::io::ioctl_fionbio(&ours, true).or_fault(doing)?;
    Ok((ours, theirs))
}
