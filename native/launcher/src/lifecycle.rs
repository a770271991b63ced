//! The life of one guest as a state machine: inputs in, effects out, no I/O.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::outcome::{Exit, Facts, Outcome, decide};

/// Guests that do not listen get the power button again: some miss it while they boot.
const PRESS_EVERY: Duration = Duration::from_secs(5);
/// Longer than anybody waits, and short enough to be added to any time.
const MAX_GRACE_SECONDS: u64 = 10 * 365 * 24 * 3600;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Phase {
    /// No plan yet.
    #[default]
    Idle,
    /// Files are being made.
    Preparing,
    /// The engine's process is there, the guest has not run yet.
    Starting,
    Running,
    /// Asked to end.
    Stopping,
}

/// Commands that the launcher sends the engine on its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    Negotiate,
    /// One of the plan's own, by its place there.
    SetUp(usize),
    Continue,
    PowerButton,
}

/// What an engine's event means for the guest's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    Paused,
    Resumed,
    Reset,
    Panicked,
    /// The watchdog has ended the engine.
    WatchdogExpired,
    Shutdown {
        reason: String,
    },
}

#[derive(Debug)]
pub enum Input {
    PlanAccepted {
        /// The guest stays as it was made until a peer lets it run.
        start_paused: bool,
        /// Commands that the engine follows before its guest runs.
        setup: usize,
    },
    FilesReady,
    /// A file could not be made or the engine's process could not be.
    NotStarted(String),
    Greeted,
    Answered(Own),
    /// The engine refused a command of ours, and why.
    Refused(Own, String),
    Sign(Sign),
    /// SIGTERM, or a peer's `shutdown`.
    Shutdown {
        grace_seconds: u64,
    },
    Kill,
    /// The time of `deadline()` may have come.
    Tick,
    /// With the end of what the engine wrote to stderr.
    EngineGone(Exit, String),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// The phase has changed.
    Announce(Phase),
    MakeFiles,
    Spawn,
    Tell(Own),
    KillEngine,
    Finish(Outcome, String),
}

#[derive(Default)]
pub struct Lifecycle {
    phase: Phase,
    facts: Facts,
    start_paused: bool,
    setup: usize,
    paused: bool,
    stop: Option<Stop>,
}

struct Stop {
    deadline: Instant,
    next_press: Instant,
}

impl Lifecycle {
    pub fn phase(&self) -> Phase {
        self.phase
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// When the next `Tick` is due.
    pub fn deadline(&self) -> Option<Instant> {
        let stop = self.stop.as_ref().filter(|_| !self.facts.killed)?;
        Some(stop.deadline.min(stop.next_press))
    }

    pub fn step(&mut self, now: Instant, input: Input) -> Vec<Effect> {
        match input {
            Input::PlanAccepted {
                start_paused,
                setup,
            } => {
                self.start_paused = start_paused;
                self.setup = setup;
                self.enter(Phase::Preparing, Effect::MakeFiles)
            }
            Input::FilesReady => self.enter(Phase::Starting, Effect::Spawn),
            Input::NotStarted(why) => vec![Effect::Finish(Outcome::StartFailed, why)],
            Input::Greeted => self.if_starting(|_| vec![Effect::Tell(Own::Negotiate)]),
            Input::Answered(Own::Negotiate) => self.if_starting(|life| life.set_up(0)),
            Input::Answered(Own::SetUp(at)) => self.if_starting(|life| life.set_up(at + 1)),
            Input::Answered(Own::Continue) => self.runs(),
            Input::Answered(Own::PowerButton) | Input::Refused(Own::PowerButton, _) => Vec::new(),
            Input::Refused(own, why) => self.if_starting(|life| life.give_up(own, &why)),
            Input::Sign(sign) => self.note(sign),
            Input::Shutdown { grace_seconds } => self.shut_down(now, grace_seconds),
            Input::Kill => self.kill(),
            Input::Tick => self.tick(now),
            Input::EngineGone(exit, stderr) => {
                let (outcome, message) = decide(&self.facts, exit, &stderr);
                vec![Effect::Finish(outcome, message)]
            }
        }
    }

    fn enter(&mut self, phase: Phase, then: Effect) -> Vec<Effect> {
        self.phase = phase;
        vec![Effect::Announce(phase), then]
    }

    /// A guest that is being stopped is not started any further.
    fn if_starting(&mut self, then: impl FnOnce(&mut Self) -> Vec<Effect>) -> Vec<Effect> {
        if self.phase == Phase::Starting {
            then(self)
        } else {
            Vec::new()
        }
    }

    fn runs(&mut self) -> Vec<Effect> {
        self.facts.ran = true;
        self.if_starting(|life| {
            life.phase = Phase::Running;
            vec![Effect::Announce(Phase::Running)]
        })
    }

    /// One command after the other, so that the guest runs only if the engine has followed them all.
    fn set_up(&mut self, next: usize) -> Vec<Effect> {
        if next < self.setup {
            vec![Effect::Tell(Own::SetUp(next))]
        } else if self.start_paused {
            self.waits()
        } else {
            vec![Effect::Tell(Own::Continue)]
        }
    }

    /// The engine says STOP only of a guest that has run, so this pause is known from the plan.
    fn waits(&mut self) -> Vec<Effect> {
        self.paused = true;
        self.phase = Phase::Running;
        vec![Effect::Announce(Phase::Running)]
    }

    fn give_up(&mut self, own: Own, why: &str) -> Vec<Effect> {
        let what = match own {
            Own::Negotiate => "the negotiation of capabilities",
            Own::SetUp(_) => "a command of the plan",
            Own::Continue => "to run the guest",
            Own::PowerButton => "the power button",
        };
        self.facts.start_fault = Some(format!("the engine refused {what}: {why}"));
        vec![Effect::KillEngine]
    }

    fn note(&mut self, sign: Sign) -> Vec<Effect> {
        match sign {
            Sign::Paused => self.paused = true,
            Sign::Resumed => {
                self.paused = false;
                self.facts.ran = true;
            }
            // A guest that dumped its memory and booted again has not panicked for good.
            Sign::Reset => self.facts.panicked = false,
            Sign::Panicked => self.facts.panicked = true,
            Sign::WatchdogExpired => self.facts.watchdog_expired = true,
            Sign::Shutdown { reason } => {
                self.facts.panicked |= reason == "guest-panic";
                self.facts.shutdown = Some(reason);
            }
        }
        Vec::new()
    }

    fn shut_down(&mut self, now: Instant, grace_seconds: u64) -> Vec<Effect> {
        let deadline = now + Duration::from_secs(grace_seconds.min(MAX_GRACE_SECONDS));
        match self.phase {
            Phase::Idle | Phase::Preparing => vec![stopped_before_start()],
            Phase::Starting => self.kill(),
            // One that has not run has nothing to lose, and would only begin to boot to hear the button.
            Phase::Running if grace_seconds == 0 || !self.facts.ran => self.kill(),
            Phase::Running => {
                self.facts.stop_requested = true;
                self.phase = Phase::Stopping;
                self.stop = Some(Stop {
                    deadline,
                    next_press: now + PRESS_EVERY,
                });
                let mut effects = vec![Effect::Announce(Phase::Stopping)];
                effects.extend(self.press());
                effects
            }
            // Asked again: the grace may become shorter, never longer.
            Phase::Stopping => {
                if let Some(stop) = &mut self.stop {
                    stop.deadline = stop.deadline.min(deadline);
                }
                self.tick(now)
            }
        }
    }

    /// A paused guest cannot answer the button.
    fn press(&self) -> Vec<Effect> {
        let wake = self.paused.then_some(Effect::Tell(Own::Continue));
        wake.into_iter()
            .chain([Effect::Tell(Own::PowerButton)])
            .collect()
    }

    fn kill(&mut self) -> Vec<Effect> {
        if matches!(self.phase, Phase::Idle | Phase::Preparing) {
            return vec![stopped_before_start()];
        }
        self.facts.stop_requested = true;
        self.facts.killed = true;
        let announce = (self.phase != Phase::Stopping).then_some(Effect::Announce(Phase::Stopping));
        self.phase = Phase::Stopping;
        announce.into_iter().chain([Effect::KillEngine]).collect()
    }

    fn tick(&mut self, now: Instant) -> Vec<Effect> {
        match &mut self.stop {
            Some(_) if self.facts.killed => Vec::new(),
            Some(stop) if stop.deadline <= now => self.kill(),
            Some(stop) if stop.next_press <= now => {
                stop.next_press = now + PRESS_EVERY;
                self.press()
            }
            _ => Vec::new(),
        }
    }
}

fn stopped_before_start() -> Effect {
    Effect::Finish(
        Outcome::StoppedBeforeStart,
        "stopped before the guest ran".into(),
    )
}

#[cfg(test)]
mod tests;
