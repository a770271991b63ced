//! The launcher at work: one thread that waits for whatever happens next and does what the lifecycle says.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::event::PollFlags;
use rustix::stdio::{stdin, stdout};

use crate::child::reap;
use crate::console::Console;
use crate::dhcp::Dhcp;
use crate::engine::Engine;
use crate::error::{Fault, Result};
use crate::files::{Preparation, Progress};
use crate::frame::frame;
use crate::last_words;
use crate::lifecycle::{Effect, Input, Lifecycle, Own, Phase};
use crate::outcome::{Exit, Outcome};
use crate::peers::Peers;
use crate::plan::Plan;
use crate::qmp::{Asker, Message};
use crate::ring::Ring;
use crate::settings::Settings;
use crate::signals::{Arrived, Signals};
use crate::wire::{self, Event};

mod requests;
mod wait;

use wait::Source;

/// How long the last words may take to reach their readers.
const FAREWELL: Duration = Duration::from_millis(200);
/// Reads of a channel whose engine is gone: another process may hold its other end.
const LAST_READS: usize = 64;

pub struct Supervisor {
    uid: String,
    signals: Signals,
    peers: Peers,
    console: Console,
    life: Lifecycle,
    ring: Ring,
    run: Option<Run>,
    /// Milliseconds since the epoch.
    started_at: Option<u64>,
    finished: Option<(Outcome, String)>,
}

/// What has become of a plan.
struct Run {
    plan: Plan,
    descriptors: BTreeMap<String, OwnedFd>,
    files: Preparation,
    engine: Option<Engine>,
    dhcp: Vec<Dhcp>,
}

impl Supervisor {
    /// Standard input and output must be non-blocking.
    pub fn new(settings: &Settings, signals: Signals) -> Result<Self> {
        let mut console = Console::listen(&settings.sockets.join("console.sock"))?;
        console.attach_stdio(stdin(), stdout())?;
        Ok(Self {
            uid: settings.uid.clone(),
            signals,
            peers: Peers::listen(&settings.sockets.join("launcher.sock"))?,
            console,
            life: Lifecycle::default(),
            ring: Ring::default(),
            run: None,
            started_at: None,
            finished: None,
        })
    }

    /// Serves until the guest has ended, and says how.
    pub fn run(mut self) -> (Outcome, String) {
        loop {
            for (source, ready) in self.wait() {
                self.serve(source, ready);
            }
            self.take(Input::Tick);
            self.flush();
            if let Some((outcome, message)) = self.finished.take() {
                self.say_farewell(outcome, &message);
                return (outcome, message);
            }
        }
    }

    fn serve(&mut self, source: Source, ready: PollFlags) {
        match source {
            Source::Signals => self
                .signals
                .arrived()
                .into_iter()
                .for_each(|arrived| self.on_signal(arrived)),
            Source::PeerListener => self.peers.accept(),
            Source::Peer(id) => self
                .peers
                .receive(id)
                .into_iter()
                .for_each(|received| self.on_request(received)),
            Source::ConsoleListener => self.console.accept(),
            Source::Attached(id) => self.console.serve(id, ready),
            Source::Guest => drop(self.console.serve_guest()),
            Source::Control => drop(self.on_control()),
            Source::EngineOutput => self.with_engine(|engine| engine.child.listen()),
            Source::Dhcp(at) => self.on_dhcp(at),
        }
    }

    fn on_signal(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Terminate => {
                let grace_seconds = self.run.as_ref().map_or(0, |run| run.plan.grace_seconds);
                self.take(Input::Shutdown { grace_seconds });
            }
            Arrived::Child => {
                while let Some((pid, exit)) = reap(None) {
                    self.on_exit(pid, exit);
                }
            }
        }
    }

    fn on_exit(&mut self, pid: i32, exit: Exit) {
        let Some(run) = &mut self.run else { return };
        if run
            .engine
            .as_ref()
            .is_some_and(|engine| engine.child.pid() == pid)
        {
            return self.on_engine_gone(exit);
        }
        match run.files.ended(pid, exit) {
            Some(Ok(())) => self.make_files(),
            Some(Err(fault)) => self.take(Input::NotStarted(fault.to_string())),
            // An orphan that was left to PID 1.
            None => {}
        }
    }

    /// Its last words decide how the guest has ended, so they are read first.
    fn on_engine_gone(&mut self, exit: Exit) {
        for _ in 0..LAST_READS {
            if !self.on_control() {
                break;
            }
        }
        for _ in 0..LAST_READS {
            if !self.console.serve_guest() {
                break;
            }
        }
        self.give_up_asking();
        let Some(mut engine) = self.run.as_mut().and_then(|run| run.engine.take()) else {
            return;
        };
        self.take(Input::EngineGone(exit, engine.child.complaint()));
    }

    /// Takes what the engine has said; true where there may be more.
    fn on_control(&mut self) -> bool {
        let engine = self.run.as_mut().and_then(|run| run.engine.as_mut());
        let (messages, more) = engine.map(Engine::receive).unwrap_or_default();
        for message in messages {
            match message {
                Message::Greeting => self.take(Input::Greeted),
                Message::Answer(Asker::Peer { peer, request }, result) => {
                    self.relay(peer, request, result)
                }
                Message::Answer(Asker::Launcher(own), Ok(answer)) => match answer.error {
                    None => self.take(Input::Answered(own)),
                    Some(why) => self.take(Input::Refused(own, why)),
                },
                Message::Answer(Asker::Launcher(own), Err(refusal)) => {
                    self.take(Input::Refused(own, refusal.message))
                }
                Message::Event { raw, sign } => {
                    self.publish(&Event::Engine { qmp: &raw });
                    if let Some(sign) = sign {
                        self.take(Input::Sign(sign));
                    }
                }
            }
        }
        // An engine may hang up and live on.
        let engine = self.run.as_ref().and_then(|run| run.engine.as_ref());
        if engine.is_some_and(|engine| engine.control().is_none()) {
            self.give_up_asking();
        }
        more
    }

    /// Who still waits for the engine will not be answered any more.
    fn give_up_asking(&mut self) {
        let engine = self.run.as_mut().and_then(|run| run.engine.as_mut());
        let askers = engine.map(|engine| engine.channel.abandon());
        for asker in askers.into_iter().flatten() {
            self.refuse_asker(asker, &requests::engine_gone());
        }
    }

    fn on_dhcp(&mut self, at: usize) {
        let server = self.run.as_mut().and_then(|run| run.dhcp.get_mut(at));
        if let Some(lease) = server.and_then(|server| server.serve(Instant::now())) {
            self.publish(&Event::Lease(&lease));
        }
    }

    fn take(&mut self, input: Input) {
        for effect in self.life.step(Instant::now(), input) {
            self.act(effect);
        }
    }

    fn act(&mut self, effect: Effect) {
        match effect {
            Effect::Announce(phase) => {
                if phase == Phase::Running {
                    self.started_at = Some(epoch_milliseconds());
                }
                let waits = phase == Phase::Running && self.life.is_paused();
                self.publish(&Event::State {
                    state: phase,
                    reason: waits.then_some("Paused"),
                });
            }
            Effect::MakeFiles => self.make_files(),
            Effect::Spawn => {
                if let Err(fault) = self.spawn() {
                    self.take(Input::NotStarted(fault.to_string()));
                }
            }
            Effect::Tell(own) => self.tell(own),
            Effect::KillEngine => self.with_engine(|engine| engine.child.kill()),
            Effect::Finish(outcome, message) => {
                let message = self.with_last_words(outcome, message);
                self.finished = Some((outcome, message));
            }
        }
    }

    /// Only the guest knows why its kernel panicked.
    fn with_last_words(&self, outcome: Outcome, message: String) -> String {
        let words = (outcome == Outcome::GuestPanicked)
            .then(|| last_words::of_panic(&self.console.tail()))
            .flatten();
        match words {
            Some(words) => format!("{message}: {words}"),
            None => message,
        }
    }

    fn make_files(&mut self) {
        let Some(run) = &mut self.run else { return };
        match run.files.go_on() {
            Ok(Progress::Done) => self.take(Input::FilesReady),
            Ok(Progress::Waiting) => {}
            Err(fault) => self.take(Input::NotStarted(fault.to_string())),
        }
    }

    /// The engine gets its descriptors, the DHCP servers keep theirs, and the launcher holds none beyond that.
    fn spawn(&mut self) -> Result<()> {
        let Some(run) = &mut self.run else {
            return Ok(());
        };
        for answer in &run.plan.dhcp {
            let socket = run.descriptors.remove(&answer.socket);
            let socket = socket.ok_or_else(|| {
                Fault::new(format!(
                    "the descriptor {} serves two interfaces",
                    answer.socket
                ))
            })?;
            run.dhcp.push(Dhcp::new(answer, socket, Instant::now())?);
        }
        let descriptors = std::mem::take(&mut run.descriptors);
        let (engine, serial) = Engine::spawn(&run.plan, &descriptors)?;
        run.engine = Some(engine);
        self.console.connect_guest(serial);
        Ok(())
    }

    fn tell(&mut self, own: Own) {
        if let Some(run) = &mut self.run
            && let Some(engine) = &mut run.engine
        {
            engine.channel.tell(own, &run.plan.engine.setup);
        }
    }

    fn with_engine(&mut self, act: impl FnOnce(&mut Engine)) {
        if let Some(engine) = self.run.as_mut().and_then(|run| run.engine.as_mut()) {
            act(engine);
        }
    }

    /// An event that fits in no frame is nobody's.
    fn publish(&mut self, event: &Event<'_>) {
        let body = wire::event(self.ring.next(), epoch_milliseconds(), event);
        if let Some(framed) = frame(&body) {
            self.peers.publish(&framed);
            self.ring.push(framed);
        }
    }

    fn flush(&mut self) {
        self.with_engine(Engine::flush);
        self.peers.flush();
        self.console.flush();
    }

    fn say_farewell(&mut self, outcome: Outcome, message: &str) {
        if outcome.wants_explanation() {
            self.console.say(&format!("{outcome:?}: {message}"));
        }
        self.publish(&Event::Exited { outcome, message });
        let deadline = Instant::now() + FAREWELL;
        self.flush();
        while !(self.peers.all_sent() && self.console.all_written())
            && self.wait_for_readers(deadline)
        {
            self.flush();
        }
    }
}

fn epoch_milliseconds() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
