//! What the launcher waits for.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;

use super::Supervisor;

/// Where something has happened.
#[derive(Clone, Copy)]
pub enum Source {
    Signals,
    PeerListener,
    Peer(u64),
    ConsoleListener,
    /// Somebody at the console.
    Attached(u64),
    /// The guest's serial port.
    Guest,
    /// The engine's control channel.
    Control,
    EngineOutput,
    /// A DHCP server, by its place in the plan.
    Dhcp(usize),
}

impl Supervisor {
    /// Waits until something happens or the lifecycle's next tick is due.
    pub(super) fn wait(&self) -> Vec<(Source, PollFlags)> {
        let mut waits: Vec<(Source, PollFd<'_>)> = vec![
            (
                Source::Signals,
                PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
            ),
            (
                Source::PeerListener,
                PollFd::from_borrowed_fd(self.peers.listener(), PollFlags::IN),
            ),
            (
                Source::ConsoleListener,
                PollFd::from_borrowed_fd(self.console.listener(), PollFlags::IN),
            ),
        ];
        let mut add = |source, fd, flags| waits.push((source, PollFd::from_borrowed_fd(fd, flags)));
        self.peers
            .waits()
            .for_each(|(id, fd, flags)| add(Source::Peer(id), fd, flags));
        self.console
            .waits()
            .for_each(|(id, fd, flags)| add(Source::Attached(id), fd, flags));
        if let Some((fd, flags)) = self.console.guest() {
            add(Source::Guest, fd, flags);
        }
        if let Some(run) = &self.run {
            run.dhcp
                .iter()
                .enumerate()
                .for_each(|(at, server)| add(Source::Dhcp(at), server.as_fd(), PollFlags::IN));
        }
        if let Some(engine) = self.run.as_ref().and_then(|run| run.engine.as_ref()) {
            if let Some((fd, flags)) = engine.control() {
                add(Source::Control, fd, flags);
            }
            if let Some(output) = engine.child.output() {
                add(Source::EngineOutput, output.as_fd(), PollFlags::IN);
            }
        }
        ready(waits, self.life.deadline())
    }

    /// Waits until somebody who has not read everything can take more. False when the time is over.
    pub(super) fn wait_for_readers(&self, deadline: Instant) -> bool {
        let peers = self.peers.waits().map(|(_, fd, flags)| (fd, flags));
        let readers = self.console.waits().map(|(_, fd, flags)| (fd, flags));
        let unread = peers
            .chain(readers)
            .filter(|(_, flags)| flags.contains(PollFlags::OUT));
        let waits = unread
            .map(|(fd, _)| ((), PollFd::from_borrowed_fd(fd, PollFlags::OUT)))
            .collect();
        ready(waits, Some(deadline));
        Instant::now() < deadline
    }
}

/// Those with something to do, or none at the deadline.
fn ready<T>(waits: Vec<(T, PollFd<'_>)>, deadline: Option<Instant>) -> Vec<(T, PollFlags)> {
    let (sources, mut fds): (Vec<T>, Vec<PollFd<'_>>) = waits.into_iter().unzip();
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if poll(&mut fds, left.map(timespec).as_ref()).is_err() {
        // Interrupted: whoever is ready still is at the next call.
        return Vec::new();
    }
    let happened = sources.into_iter().zip(fds.iter().map(PollFd::revents));
    happened.filter(|(_, flags)| !flags.is_empty()).collect()
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
