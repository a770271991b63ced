//! A device's thread. It exists from the device's making on, so that no vCPU ever makes a thread, and runs a worker whenever
//! there is one.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use vmm_sys_util::eventfd::EventFd;

use super::{Kind, Queue};
use crate::event::as_fd;

/// The half of a device that works. All calls are on the device's thread.
pub trait Worker: Send {
    /// The queues whose notifications wake it.
    fn queues(&self) -> Vec<&Queue>;

    /// First of all, whenever it starts and when it goes on after a pause.
    fn begin(&mut self) {}

    /// The driver has notified this queue. Also called once for each queue when the worker starts and when it goes on after a
    /// pause: there may be requests whose notifications nobody heard.
    fn notified(&mut self, queue: usize);

    /// What else wakes it; asked before every wait, so it may differ each time.
    fn sources(&self) -> Vec<Source<'_>> {
        Vec::new()
    }

    /// A source is ready, by its token.
    fn ready(&mut self, _token: u32) {}

    /// The worker is about to be stopped: whatever is in flight is finished, and nothing touches guest memory afterwards.
    fn drain(&mut self) {}
}

pub struct Source<'a> {
    pub token: u32,
    pub fd: BorrowedFd<'a>,
    pub readiness: Readiness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    Readable,
    Writable,
}

/// What every device thread does first: it gives up the rights that its kind does not need.
pub type StartThread = Arc<dyn Fn(Kind) -> io::Result<()> + Send + Sync>;

pub struct WorkerThread {
    jobs: Option<Sender<Box<dyn Worker>>>,
    done: Receiver<Box<dyn Worker>>,
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
    running: bool,
}

impl WorkerThread {
    pub fn spawn(kind: Kind, number: usize, start: StartThread) -> io::Result<WorkerThread> {
        let stop = Arc::new(EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)?);
        let (jobs, taken) = channel::<Box<dyn Worker>>();
        let (finished, done) = channel();
        let (ready, started) = channel();
        let asked = stop.clone();
        let thread = Builder::new()
            .name(format!("{}{number}", kind.name()))
            .spawn(move || {
                let confined = start(kind);
                let go = confined.is_ok();
                let _ = ready.send(confined);
                if !go {
                    return;
                }
                for mut worker in taken {
                    run(worker.as_mut(), &asked);
                    if finished.send(worker).is_err() {
                        return;
                    }
                }
            })?;
        started.recv().map_err(io::Error::other)??;
        Ok(WorkerThread {
            jobs: Some(jobs),
            done,
            stop,
            thread: Some(thread),
            running: false,
        })
    }

    pub fn run(&mut self, worker: Box<dyn Worker>) {
        if let Some(jobs) = &self.jobs {
            self.running = jobs.send(worker).is_ok();
        }
    }

    /// The worker, once it has stopped; `None` when none was running.
    pub fn stop(&mut self) -> Option<Box<dyn Worker>> {
        if !std::mem::take(&mut self.running) {
            return None;
        }
        let _ = self.stop.write(1);
        self.done.recv().ok()
    }
}

impl Drop for WorkerThread {
    fn drop(&mut self) {
        drop(self.stop());
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Until it is told to stop.
fn run(worker: &mut dyn Worker, stop: &EventFd) {
    begin(worker);
    loop {
        let woken = wait(worker, stop, None);
        if stop.read().is_ok() {
            worker.drain();
            return;
        }
        woken.serve(worker);
    }
}

pub(super) fn begin(worker: &mut dyn Worker) {
    worker.begin();
    let queues: Vec<usize> = worker.queues().iter().map(|queue| queue.index()).collect();
    queues.into_iter().for_each(|queue| worker.notified(queue));
}

/// Why a worker was woken.
pub(super) struct Woken {
    /// Those that were notified.
    queues: Vec<usize>,
    /// Of the sources that are ready.
    tokens: Vec<u32>,
}

impl Woken {
    pub(super) fn serve(self, worker: &mut dyn Worker) {
        let Woken { queues, tokens } = self;
        queues.into_iter().for_each(|queue| worker.notified(queue));
        tokens.into_iter().for_each(|token| worker.ready(token));
    }

    pub(super) fn by_nothing(&self) -> bool {
        self.queues.is_empty() && self.tokens.is_empty()
    }
}

/// For so long at most; `None` waits for ever.
pub(super) fn wait(worker: &dyn Worker, stop: &EventFd, timeout: Option<&Timespec>) -> Woken {
    let queues = worker.queues();
    let sources = worker.sources();
    let mut fds = vec![PollFd::from_borrowed_fd(as_fd(stop), PollFlags::IN)];
    let kicks = queues.iter().map(|queue| as_fd(queue.kick()));
    fds.extend(kicks.map(|kick| PollFd::from_borrowed_fd(kick, PollFlags::IN)));
    fds.extend(sources.iter().map(|source| {
        let wanted = match source.readiness {
            Readiness::Readable => PollFlags::IN,
            Readiness::Writable => PollFlags::OUT,
        };
        PollFd::from_borrowed_fd(source.fd, wanted)
    }));
    // Fails only when a signal comes; then nothing is ready.
    let _ = poll(&mut fds, timeout);
    let mut ready = fds.iter().skip(1).map(|fd| !fd.revents().is_empty());
    let queues = queues
        .iter()
        .zip(ready.by_ref())
        .filter(|(_, ready)| *ready)
        .map(|(queue, _)| {
            let _ = queue.kick().read();
            queue.index()
        })
        .collect();
    let tokens = sources
        .iter()
        .zip(ready)
        .filter(|(_, ready)| *ready)
        .map(|(source, _)| source.token)
        .collect();
    Woken { queues, tokens }
}
