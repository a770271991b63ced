//! What peers ask.

use std::os::fd::OwnedFd;

use super::{Run, Supervisor};
use crate::error::{Code, Refusal};
use crate::files::Preparation;
use crate::frame::MAX_FRAME;
use crate::lifecycle::{Input, Phase};
use crate::peers::Received;
use crate::plan::Plan;
use crate::qmp::{Answer, Asker};
use crate::wire::{
    self, Command, Empty, Hello, PROTOCOL, Relayed, Request, Started, Status, Subscribed,
};

/// The answer to a request, if it can be given at once.
type Answered = Result<Option<Vec<u8>>, Refusal>;

impl Supervisor {
    pub(super) fn on_request(&mut self, received: Received) {
        let Received {
            peer,
            id,
            request,
            descriptors,
        } = received;
        let answered = request.and_then(|request| self.answer(peer, id, request, descriptors));
        match answered {
            Ok(Some(body)) => self.peers.send(peer, &body),
            Ok(None) => {}
            Err(refusal) => self.refuse(peer, id, &refusal),
        }
    }

    fn answer(
        &mut self,
        peer: u64,
        id: u64,
        request: Request,
        descriptors: Vec<OwnedFd>,
    ) -> Answered {
        let ok = |body| Ok(Some(body));
        match request {
            Request::Hello { protocol: 0 } => {
                Err(Refusal::new(Code::BadRequest, "the oldest protocol is 1"))
            }
            Request::Hello { protocol } => {
                ok(wire::answer(id, Ok(self.hello(protocol.min(PROTOCOL)))))
            }
            Request::Status => ok(wire::answer(id, Ok(self.status()))),
            Request::Start(plan) => self.start(peer, id, *plan, descriptors),
            Request::Engine(command) => self.ask_engine(peer, id, &command),
            Request::Subscribe { from } => {
                let first = self.ring.admit(from);
                self.peers
                    .send(peer, &wire::answer(id, Ok(Subscribed { first })));
                self.peers.subscribe(peer, first, &self.ring);
                Ok(None)
            }
            Request::Shutdown { grace_seconds } => {
                self.end(peer, id, Input::Shutdown { grace_seconds })
            }
            Request::Kill => self.end(peer, id, Input::Kill),
        }
    }

    fn hello(&self, protocol: u64) -> Hello<'_> {
        Hello {
            protocol,
            version: env!("CARGO_PKG_VERSION"),
            uid: &self.uid,
            state: self.life.phase(),
            plan_id: self.run.as_ref().map(|run| run.plan.id.as_str()),
            last_seq: self.ring.last(),
        }
    }

    fn status(&self) -> Status<'_> {
        let engine = self.run.as_ref().and_then(|run| run.engine.as_ref());
        let servers = self.run.iter().flat_map(|run| &run.dhcp);
        Status {
            state: self.life.phase(),
            engine_pid: engine.map(|engine| engine.child.pid()),
            started_at: self.started_at,
            last_seq: self.ring.last(),
            leases: servers.filter_map(|server| server.lease()).collect(),
        }
    }

    /// Answered before the work begins, so that whoever hands descriptors over need not wait for it.
    fn start(&mut self, peer: u64, id: u64, plan: Plan, descriptors: Vec<OwnedFd>) -> Answered {
        if let Some(run) = &self.run {
            return Err(Refusal::new(
                Code::AlreadyStarted,
                format!("plan {} was started", run.plan.id),
            ));
        }
        plan.check(descriptors.len())
            .map_err(|why| Refusal::new(Code::BadPlan, why))?;
        self.peers.send(
            peer,
            &wire::answer(
                id,
                Ok(Started {
                    state: Phase::Starting,
                }),
            ),
        );
        if !plan.log_console {
            self.console.detach_stdout();
        }
        let accepted = Input::PlanAccepted {
            start_paused: plan.start_paused,
            setup: plan.engine.setup.len(),
        };
        self.run = Some(Run {
            descriptors: plan.descriptors.iter().cloned().zip(descriptors).collect(),
            files: Preparation::new(plan.files.clone()),
            plan,
            engine: None,
            dhcp: Vec::new(),
        });
        self.take(accepted);
        Ok(None)
    }

    fn ask_engine(&mut self, peer: u64, id: u64, command: &Command) -> Answered {
        let phase = self.life.phase();
        if matches!(phase, Phase::Idle | Phase::Preparing | Phase::Starting) {
            return Err(not_started(phase));
        }
        let engine = self.run.as_mut().and_then(|run| run.engine.as_mut());
        let engine = engine
            .filter(|engine| engine.control().is_some())
            .ok_or_else(engine_gone)?;
        engine
            .channel
            .ask(Asker::Peer { peer, request: id }, command)
            .map(|()| None)
    }

    fn end(&mut self, peer: u64, id: u64, input: Input) -> Answered {
        if self.life.phase() == Phase::Idle {
            return Err(not_started(Phase::Idle));
        }
        self.peers.send(peer, &wire::answer(id, Ok(Empty {})));
        self.take(input);
        Ok(None)
    }

    pub(super) fn relay(&mut self, peer: u64, id: u64, result: Result<Answer, Refusal>) {
        let answered = result.and_then(|answer| {
            let body = wire::answer(id, Ok(Relayed { reply: &answer.raw }));
            let fits = body.len() <= MAX_FRAME;
            fits.then_some(body)
                .ok_or_else(|| Refusal::new(Code::TooLarge, "the engine's answer is above 1 MiB"))
        });
        match answered {
            Ok(body) => self.peers.send(peer, &body),
            Err(refusal) => self.refuse(peer, id, &refusal),
        }
    }

    pub(super) fn refuse_asker(&mut self, asker: Asker, refusal: &Refusal) {
        if let Asker::Peer { peer, request } = asker {
            self.refuse(peer, request, refusal);
        }
    }

    fn refuse(&mut self, peer: u64, id: u64, refusal: &Refusal) {
        self.peers
            .send(peer, &wire::answer(id, Err::<Empty, _>(refusal)));
    }
}

pub(super) fn engine_gone() -> Refusal {
    Refusal::new(Code::EngineGone, "the engine is gone")
}

fn not_started(phase: Phase) -> Refusal {
    Refusal::new(
        Code::NotStarted,
        format!("the guest does not run yet: the launcher is {phase:?}"),
    )
}
