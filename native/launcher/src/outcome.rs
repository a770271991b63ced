//! How a guest ended, decided from what was seen of it. Pure.

use std::fmt::{self, Display};

use serde::Serialize;

/// The discriminant is the launcher's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[repr(u8)]
pub enum Outcome {
    PoweredOff = 0,
    ShutDownOnRequest = 20,
    KilledAfterGrace = 21,
    StoppedBeforeStart = 22,
    GuestRebooted = 23,
    GuestPanicked = 30,
    EngineCrashed = 31,
    StartFailed = 32,
    LauncherFailed = 33,
    WatchdogExpired = 34,
}

impl Outcome {
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Whether somebody may ask why.
    pub fn wants_explanation(self) -> bool {
        !matches!(
            self,
            Self::PoweredOff
                | Self::ShutDownOnRequest
                | Self::StoppedBeforeStart
                | Self::GuestRebooted
        )
    }
}

/// How the engine's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

impl Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "ended with exit code {code}"),
            Self::Signal(libc::SIGKILL) => {
                write!(formatter, "was killed (SIGKILL; out of memory?)")
            }
            Self::Signal(signal) => write!(formatter, "was ended by signal {signal}"),
        }
    }
}

/// What was seen of a guest up to the end of its engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The guest has run at least one instruction.
    pub ran: bool,
    /// It reported a panic and was not reset since.
    pub panicked: bool,
    /// Its watchdog was not fed, and has ended the engine.
    pub watchdog_expired: bool,
    /// SIGTERM, `shutdown` or `kill` came.
    pub stop_requested: bool,
    /// The launcher has sent SIGKILL.
    pub killed: bool,
    /// The reason in the engine's SHUTDOWN event.
    pub shutdown: Option<String>,
    /// Why the guest could not be started.
    pub start_fault: Option<String>,
}

/// `stderr` is the end of what the engine complained about.
pub fn decide(facts: &Facts, exit: Exit, stderr: &str) -> (Outcome, String) {
    let complaint = if stderr.is_empty() {
        String::new()
    } else {
        format!(": {stderr}")
    };
    if !facts.ran {
        return before_start(facts, exit, &complaint);
    }
    if facts.panicked {
        return (Outcome::GuestPanicked, "the guest's kernel panicked".into());
    }
    // The engine leaves at once, and says nothing of a shutdown.
    if facts.watchdog_expired && exit == Exit::Code(0) {
        return (
            Outcome::WatchdogExpired,
            "the guest did not feed its watchdog, and was powered off".into(),
        );
    }
    match (exit, facts.shutdown.as_deref()) {
        (Exit::Signal(libc::SIGKILL), _) if facts.killed => {
            killed("it did not shut down within its grace period, or was killed on request")
        }
        (Exit::Code(0), Some("host-qmp-quit")) => killed("the engine was told to quit"),
        (Exit::Code(0), Some("host-signal")) if facts.stop_requested => {
            killed("the engine was ended by a signal")
        }
        (Exit::Code(0), Some("host-signal")) => (
            Outcome::EngineCrashed,
            "the engine was ended by a signal that the launcher did not send".into(),
        ),
        (Exit::Code(0), _) if facts.stop_requested => (
            Outcome::ShutDownOnRequest,
            "the guest shut down on request".into(),
        ),
        // Only an engine that was started with `reboot=shutdown` ends at a reset, whoever asked for it.
        (Exit::Code(0), Some("guest-reset" | "host-qmp-system-reset")) => (
            Outcome::GuestRebooted,
            "the guest rebooted, which ends this run".into(),
        ),
        (Exit::Code(0), _) => (Outcome::PoweredOff, "the guest shut itself down".into()),
        (exit, _) => (
            Outcome::EngineCrashed,
            format!("the engine {exit}{complaint}"),
        ),
    }
}

fn before_start(facts: &Facts, exit: Exit, complaint: &str) -> (Outcome, String) {
    if facts.stop_requested {
        return (
            Outcome::StoppedBeforeStart,
            "stopped before the guest ran".into(),
        );
    }
    let message = match &facts.start_fault {
        Some(fault) => format!("{fault}{complaint}"),
        None => format!("the engine {exit} before the guest ran{complaint}"),
    };
    (Outcome::StartFailed, message)
}

fn killed(why: &str) -> (Outcome, String) {
    (
        Outcome::KilledAfterGrace,
        format!("the guest was killed: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran() -> Facts {
        Facts {
            ran: true,
            ..Facts::default()
        }
    }

    fn shutdown(reason: &str) -> Facts {
        Facts {
            shutdown: Some(reason.into()),
            ..ran()
        }
    }

    fn stopped(facts: Facts) -> Facts {
        Facts {
            stop_requested: true,
            ..facts
        }
    }

    fn outcome(facts: &Facts, exit: Exit) -> Outcome {
        decide(facts, exit, "").0
    }

    #[test]
    fn the_table() {
        use Exit::{Code, Signal};
        use Outcome::*;
        let kill = Facts {
            killed: true,
            ..stopped(ran())
        };
        let panicked = Facts {
            panicked: true,
            ..shutdown("guest-panic")
        };
        let table = [
            (
                "powers itself off",
                shutdown("guest-shutdown"),
                Code(0),
                PoweredOff,
            ),
            ("leaves without a word", ran(), Code(0), PoweredOff),
            (
                "follows the button",
                stopped(shutdown("guest-shutdown")),
                Code(0),
                ShutDownOnRequest,
            ),
            (
                "reboots where a reboot ends it",
                shutdown("guest-reset"),
                Code(0),
                GuestRebooted,
            ),
            (
                "is reset where a reboot ends it",
                shutdown("host-qmp-system-reset"),
                Code(0),
                GuestRebooted,
            ),
            (
                "reboots instead of following the button",
                stopped(shutdown("guest-reset")),
                Code(0),
                ShutDownOnRequest,
            ),
            (
                "shuts down while the kill is on its way",
                Facts {
                    shutdown: Some("guest-shutdown".into()),
                    ..kill.clone()
                },
                Code(0),
                ShutDownOnRequest,
            ),
            (
                "does not follow the button",
                kill.clone(),
                Signal(9),
                KilledAfterGrace,
            ),
            (
                "is quit through the relay",
                shutdown("host-qmp-quit"),
                Code(0),
                KilledAfterGrace,
            ),
            (
                "panics and the engine leaves",
                panicked.clone(),
                Code(1),
                GuestPanicked,
            ),
            (
                "panics while it stops",
                Facts {
                    killed: true,
                    ..stopped(panicked)
                },
                Signal(9),
                GuestPanicked,
            ),
            (
                "leaves for the watchdog",
                Facts {
                    watchdog_expired: true,
                    ..ran()
                },
                Code(0),
                WatchdogExpired,
            ),
            ("is killed by the kernel", ran(), Signal(9), EngineCrashed),
            (
                "is killed by the kernel while it stops",
                stopped(ran()),
                Signal(9),
                EngineCrashed,
            ),
            ("aborts", ran(), Signal(6), EngineCrashed),
            ("fails", ran(), Code(1), EngineCrashed),
            (
                "gets a SIGTERM from elsewhere",
                shutdown("host-signal"),
                Code(0),
                EngineCrashed,
            ),
            ("never runs", Facts::default(), Code(1), StartFailed),
            (
                "never runs, politely",
                Facts::default(),
                Code(0),
                StartFailed,
            ),
            (
                "is stopped before it runs",
                stopped(Facts {
                    killed: true,
                    ..Facts::default()
                }),
                Signal(9),
                StoppedBeforeStart,
            ),
        ];
        for (what, facts, exit, expected) in table {
            assert_eq!(outcome(&facts, exit), expected, "an engine that {what}");
        }
    }

    #[test]
    fn a_failed_start_says_why() {
        let (_, message) = decide(&Facts::default(), Exit::Code(1), "no such disk");
        assert_eq!(
            message,
            "the engine ended with exit code 1 before the guest ran: no such disk"
        );
        let facts = Facts {
            start_fault: Some("the engine refused cont".into()),
            ..Facts::default()
        };
        assert_eq!(
            decide(&facts, Exit::Signal(9), "").1,
            "the engine refused cont"
        );
    }

    #[test]
    fn a_crash_shows_the_engines_last_words() {
        let (_, message) = decide(&ran(), Exit::Signal(6), "assertion failed");
        assert_eq!(
            message,
            "the engine was ended by signal 6: assertion failed"
        );
    }

    #[test]
    fn exit_codes_are_those_of_the_protocol() {
        use Outcome::*;
        let codes = [
            PoweredOff,
            ShutDownOnRequest,
            KilledAfterGrace,
            StoppedBeforeStart,
            GuestRebooted,
            GuestPanicked,
            EngineCrashed,
            StartFailed,
            LauncherFailed,
            WatchdogExpired,
        ]
        .map(Outcome::code);
        assert_eq!(codes, [0, 20, 21, 22, 23, 30, 31, 32, 33, 34]);
    }
}
