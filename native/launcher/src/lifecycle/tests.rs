use super::*;

struct Guest {
    life: Lifecycle,
    began: Instant,
    at: u64,
}

/// Steps a life on a clock of whole seconds.
fn plan(start_paused: bool, setup: usize) -> Input {
    Input::PlanAccepted {
        start_paused,
        setup,
    }
}

impl Guest {
    fn idle() -> Self {
        Self {
            life: Lifecycle::default(),
            began: Instant::now(),
            at: 0,
        }
    }

    fn starting() -> Self {
        let mut guest = Self::idle();
        guest.takes(plan(false, 0));
        guest.takes(Input::FilesReady);
        guest
    }

    /// Made, and not let run.
    fn start_paused() -> Self {
        let mut guest = Self::idle();
        guest.takes(plan(true, 0));
        guest.takes(Input::FilesReady);
        guest.takes(Input::Greeted);
        guest
    }

    fn running() -> Self {
        let mut guest = Self::starting();
        guest.takes(Input::Greeted);
        guest.takes(Input::Answered(Own::Negotiate));
        guest.takes(Input::Answered(Own::Continue));
        guest
    }

    fn takes(&mut self, input: Input) -> Vec<Effect> {
        self.life
            .step(self.began + Duration::from_secs(self.at), input)
    }

    fn after(&mut self, seconds: u64, input: Input) -> Vec<Effect> {
        self.at += seconds;
        self.takes(input)
    }

    fn due_in(&self) -> Option<u64> {
        let deadline = self.life.deadline()?;
        Some((deadline - self.began - Duration::from_secs(self.at)).as_secs())
    }

    fn ends(&mut self, exit: Exit) -> Outcome {
        match self
            .takes(Input::EngineGone(exit, String::new()))
            .as_slice()
        {
            [Effect::Finish(outcome, _)] => *outcome,
            effects => panic!("{effects:?}"),
        }
    }
}

fn shutdown(grace_seconds: u64) -> Input {
    Input::Shutdown { grace_seconds }
}

fn sign_off(reason: &str) -> Input {
    Input::Sign(Sign::Shutdown {
        reason: reason.into(),
    })
}

use Effect::{Announce, KillEngine, MakeFiles, Spawn, Tell};

#[test]
fn a_start_goes_from_files_to_engine_to_guest() {
    let mut guest = Guest::idle();
    assert_eq!(
        guest.takes(plan(false, 0)),
        [Announce(Phase::Preparing), MakeFiles]
    );
    assert_eq!(
        guest.takes(Input::FilesReady),
        [Announce(Phase::Starting), Spawn]
    );
    assert_eq!(guest.takes(Input::Greeted), [Tell(Own::Negotiate)]);
    assert_eq!(
        guest.takes(Input::Answered(Own::Negotiate)),
        [Tell(Own::Continue)]
    );
    assert_eq!(guest.takes(Input::Sign(Sign::Resumed)), []);
    assert_eq!(
        guest.takes(Input::Answered(Own::Continue)),
        [Announce(Phase::Running)]
    );
    assert_eq!(guest.life.phase(), Phase::Running);
}

#[test]
fn a_guest_that_powers_off_is_powered_off() {
    let mut guest = Guest::running();
    guest.takes(sign_off("guest-shutdown"));
    assert_eq!(guest.ends(Exit::Code(0)), Outcome::PoweredOff);
}

#[test]
fn a_guest_that_starts_paused_is_left_alone_until_somebody_resumes_it() {
    let mut guest = Guest::start_paused();
    assert_eq!(
        guest.takes(Input::Answered(Own::Negotiate)),
        [Announce(Phase::Running)]
    );
    assert!(guest.life.is_paused());
    assert_eq!(guest.takes(Input::Sign(Sign::Resumed)), []);
    assert!(!guest.life.is_paused());
    guest.takes(shutdown(30));
    guest.takes(sign_off("guest-shutdown"));
    assert_eq!(guest.ends(Exit::Code(0)), Outcome::ShutDownOnRequest);
}

#[test]
fn the_plans_commands_are_followed_one_by_one_before_the_guest_runs() {
    for start_paused in [false, true] {
        let mut guest = Guest::idle();
        guest.takes(plan(start_paused, 2));
        guest.takes(Input::FilesReady);
        guest.takes(Input::Greeted);
        assert_eq!(
            guest.takes(Input::Answered(Own::Negotiate)),
            [Tell(Own::SetUp(0))]
        );
        assert_eq!(
            guest.takes(Input::Answered(Own::SetUp(0))),
            [Tell(Own::SetUp(1))]
        );
        let last = guest.takes(Input::Answered(Own::SetUp(1)));
        let expected = if start_paused {
            Announce(Phase::Running)
        } else {
            Tell(Own::Continue)
        };
        assert_eq!(last, [expected]);
    }
}

#[test]
fn a_guest_whose_engine_refuses_a_command_of_the_plan_does_not_run() {
    let mut guest = Guest::idle();
    guest.takes(plan(false, 2));
    guest.takes(Input::FilesReady);
    guest.takes(Input::Greeted);
    guest.takes(Input::Answered(Own::Negotiate));
    let refused = Input::Refused(Own::SetUp(0), "Device 'net-x' not found".into());
    assert_eq!(guest.takes(refused), [KillEngine]);
    assert_eq!(guest.ends(Exit::Signal(9)), Outcome::StartFailed);
}

#[test]
fn a_guest_that_never_ran_is_not_woken_to_be_shut_down() {
    let mut guest = Guest::start_paused();
    guest.takes(Input::Answered(Own::Negotiate));
    assert_eq!(
        guest.takes(shutdown(30)),
        [Announce(Phase::Stopping), KillEngine]
    );
    assert_eq!(guest.ends(Exit::Signal(9)), Outcome::StoppedBeforeStart);
}

#[test]
fn a_failed_step_ends_the_start_with_its_reason() {
    let mut guest = Guest::idle();
    guest.takes(plan(false, 0));
    let effects = guest.takes(Input::NotStarted("no space".into()));
    assert_eq!(
        effects,
        [Effect::Finish(Outcome::StartFailed, "no space".into())]
    );
}

#[test]
fn an_engine_that_refuses_to_run_the_guest_is_killed_and_says_why() {
    let mut guest = Guest::starting();
    guest.takes(Input::Greeted);
    assert_eq!(
        guest.takes(Input::Refused(Own::Continue, "no disk".into())),
        [KillEngine]
    );
    let effects = guest.takes(Input::EngineGone(Exit::Signal(9), String::new()));
    assert_eq!(
        effects,
        [Effect::Finish(
            Outcome::StartFailed,
            "the engine refused to run the guest: no disk".into()
        )]
    );
}

#[test]
fn sigterm_before_a_plan_or_during_its_files_ends_at_once() {
    for prepare in [false, true] {
        let mut guest = Guest::idle();
        if prepare {
            guest.takes(plan(false, 0));
        }
        let effects = guest.takes(shutdown(30));
        assert!(
            matches!(
                effects[..],
                [Effect::Finish(Outcome::StoppedBeforeStart, _)]
            ),
            "{effects:?}"
        );
    }
}

#[test]
fn a_guest_that_has_not_run_is_not_asked_but_killed() {
    let mut guest = Guest::starting();
    assert_eq!(
        guest.takes(shutdown(30)),
        [Announce(Phase::Stopping), KillEngine]
    );
    assert_eq!(guest.takes(Input::Greeted), []);
    assert_eq!(guest.ends(Exit::Signal(9)), Outcome::StoppedBeforeStart);
}

#[test]
fn shutdown_presses_the_button_every_five_seconds_and_kills_in_the_end() {
    let mut guest = Guest::running();
    assert_eq!(
        guest.takes(shutdown(12)),
        [Announce(Phase::Stopping), Tell(Own::PowerButton)]
    );
    assert_eq!(guest.due_in(), Some(5));
    assert_eq!(guest.after(4, Input::Tick), []);
    assert_eq!(guest.after(1, Input::Tick), [Tell(Own::PowerButton)]);
    assert_eq!(guest.after(5, Input::Tick), [Tell(Own::PowerButton)]);
    assert_eq!(guest.due_in(), Some(2));
    assert_eq!(guest.after(2, Input::Tick), [KillEngine]);
    assert_eq!(guest.due_in(), None);
    assert_eq!(guest.after(9, Input::Tick), []);
    assert_eq!(guest.ends(Exit::Signal(9)), Outcome::KilledAfterGrace);
}

#[test]
fn a_guest_that_follows_the_button_was_shut_down_on_request() {
    let mut guest = Guest::running();
    guest.takes(shutdown(30));
    guest.takes(sign_off("guest-shutdown"));
    assert_eq!(guest.ends(Exit::Code(0)), Outcome::ShutDownOnRequest);
}

#[test]
fn a_second_sigterm_changes_nothing_and_a_shorter_grace_counts() {
    let mut guest = Guest::running();
    guest.takes(shutdown(30));
    assert_eq!(guest.after(2, shutdown(30)), []);
    guest.at += 3;
    guest.takes(Input::Tick);
    assert_eq!(guest.after(4, shutdown(0)), [KillEngine]);
}

#[test]
fn no_grace_is_a_kill() {
    assert_eq!(
        Guest::running().takes(shutdown(0)),
        [Announce(Phase::Stopping), KillEngine]
    );
    assert_eq!(
        Guest::running().takes(Input::Kill),
        [Announce(Phase::Stopping), KillEngine]
    );
}

#[test]
fn a_kill_during_the_grace_ends_it() {
    let mut guest = Guest::running();
    guest.takes(shutdown(30));
    assert_eq!(guest.takes(Input::Kill), [KillEngine]);
    assert_eq!(guest.ends(Exit::Signal(9)), Outcome::KilledAfterGrace);
}

#[test]
fn a_paused_guest_is_resumed_so_that_it_can_answer_the_button() {
    let mut guest = Guest::running();
    guest.takes(Input::Sign(Sign::Paused));
    let effects = guest.takes(shutdown(30));
    assert_eq!(
        effects,
        [
            Announce(Phase::Stopping),
            Tell(Own::Continue),
            Tell(Own::PowerButton)
        ]
    );
    guest.takes(Input::Sign(Sign::Resumed));
    assert_eq!(guest.takes(Input::Answered(Own::Continue)), []);
    assert_eq!(guest.after(5, Input::Tick), [Tell(Own::PowerButton)]);
}

#[test]
fn a_panic_counts_until_the_guest_is_reset() {
    let mut guest = Guest::running();
    guest.takes(Input::Sign(Sign::Panicked));
    assert_eq!(guest.ends(Exit::Code(1)), Outcome::GuestPanicked);
    let mut guest = Guest::running();
    guest.takes(Input::Sign(Sign::Panicked));
    guest.takes(Input::Sign(Sign::Reset));
    guest.takes(sign_off("guest-shutdown"));
    assert_eq!(guest.ends(Exit::Code(0)), Outcome::PoweredOff);
}

#[test]
fn a_shutdown_for_a_panic_is_a_panic() {
    let mut guest = Guest::running();
    guest.takes(sign_off("guest-panic"));
    assert_eq!(guest.ends(Exit::Code(1)), Outcome::GuestPanicked);
}

#[test]
fn the_largest_grace_overflows_nothing() {
    let mut guest = Guest::running();
    guest.takes(shutdown(u64::MAX));
    assert_eq!(guest.due_in(), Some(5));
}
