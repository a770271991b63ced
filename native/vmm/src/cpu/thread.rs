//! The thread of one vCPU. It runs the guest or waits for a command; whoever commands waits for the answer, so that every
//! vCPU stands still when the last has answered.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{Builder, JoinHandle};

use kvm_ioctls::VcpuFd;
use wherry_devices::power::PowerEvent;

use super::exits::{Board, Ended, run};
use super::kick::Kick;
use super::start;
use super::state::State;
use crate::error::{Fault, OrFault, Result};

enum Command {
    Run,
    Pause,
    /// Back to the initial state; with an entry, into the state in which a kernel is entered.
    Reset {
        entry: Option<u64>,
    },
    End,
}

pub struct Vcpu {
    commands: Sender<Command>,
    answers: Receiver<Result<()>>,
    kick: Kick,
    thread: Option<JoinHandle<VcpuFd>>,
}

/// What a thread does first: it gives up what it will not need.
pub type Confine = Arc<dyn Fn() -> Result<()> + Send + Sync>;

impl Vcpu {
    /// `initial` is the vCPU's state as it was made. The thread waits for commands.
    pub fn spawn(
        number: u8,
        vcpu: VcpuFd,
        initial: State,
        board: Arc<Board>,
        confine: Confine,
    ) -> Result<Vcpu> {
        let doing = "starting a vCPU's thread";
        let (commands, taken) = channel();
        let (answer, answers) = channel();
        let (hand, handed) = channel();
        let body = move || {
            let mut vcpu = vcpu;
            let kick = Kick::new(&mut vcpu);
            let ready = confine();
            let go = ready.is_ok();
            let _ = hand.send(ready.map(|()| kick));
            if !go {
                return vcpu;
            }
            let mut thread = Thread {
                vcpu,
                initial,
                board,
                running: false,
            };
            thread.serve(&taken, &answer);
            thread.vcpu
        };
        let thread = Builder::new()
            .name(format!("vcpu{number}"))
            .spawn(body)
            .or_fault(doing)?;
        let kick = handed.recv().or_fault(doing)??;
        Ok(Vcpu {
            commands,
            answers,
            kick,
            thread: Some(thread),
        })
    }

    pub fn thread_id(&self) -> i32 {
        self.kick.thread_id()
    }

    fn tell(&self, command: Command) {
        // A thread that is gone has taken the process with it.
        let _ = self.commands.send(command);
    }

    fn answer(&self) -> Result<()> {
        self.answers
            .recv()
            .map_err(|_| Fault::new("a vCPU's thread is gone"))?
    }

    fn call_out(&self) {
        // SAFETY: the thread returns the vCPU, which is dropped with this structure and not before.
        unsafe { self.kick.kick() };
    }
}

impl Drop for Vcpu {
    fn drop(&mut self) {
        self.tell(Command::End);
        self.call_out();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

pub fn run_all(vcpus: &[Vcpu]) {
    vcpus.iter().for_each(|vcpu| vcpu.tell(Command::Run));
}

/// Returns when none is in the guest and none has an exit half done.
pub fn pause_all(vcpus: &[Vcpu]) -> Result<()> {
    for vcpu in vcpus {
        vcpu.tell(Command::Pause);
        vcpu.call_out();
    }
    vcpus.iter().try_for_each(Vcpu::answer)
}

/// Of paused vCPUs. The first enters the kernel, the others wait to be started by it.
pub fn reset_all(vcpus: &[Vcpu], entry: u64) -> Result<()> {
    for (number, vcpu) in vcpus.iter().enumerate() {
        let entry = (number == 0).then_some(entry);
        vcpu.tell(Command::Reset { entry });
    }
    vcpus.iter().try_for_each(Vcpu::answer)
}

struct Thread {
    vcpu: VcpuFd,
    initial: State,
    board: Arc<Board>,
    running: bool,
}

impl Thread {
    fn serve(&mut self, commands: &Receiver<Command>, answer: &Sender<Result<()>>) {
        loop {
            let command = if self.running {
                match commands.try_recv() {
                    Ok(command) => Some(command),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => return,
                }
            } else {
                match commands.recv() {
                    Ok(command) => Some(command),
                    Err(_) => return,
                }
            };
            match command {
                Some(Command::Run) => {
                    self.vcpu.set_kvm_immediate_exit(0);
                    self.running = true;
                }
                Some(Command::Pause) => {
                    self.finish_exit();
                    self.running = false;
                    let _ = answer.send(Ok(()));
                }
                Some(Command::Reset { entry }) => {
                    let _ = answer.send(self.reset(entry));
                }
                Some(Command::End) => return,
                None => self.step(),
            }
        }
    }

    fn step(&mut self) {
        match run(&mut self.vcpu, &self.board) {
            Ended::Served | Ended::Interrupted => {}
            Ended::Halted => self.running = false,
            Ended::Failed(why) => {
                eprintln!("wherry-vmm: {why}");
                self.running = false;
                self.board.power.send(PowerEvent::Failed);
            }
        }
    }

    /// KVM finishes an access to a device when the vCPU is run again: before that its state is not whole.
    fn finish_exit(&mut self) {
        self.vcpu.set_kvm_immediate_exit(1);
        while run(&mut self.vcpu, &self.board) == Ended::Served {}
    }

    fn reset(&self, entry: Option<u64>) -> Result<()> {
        match entry {
            Some(entry) => start::enter(&self.vcpu, &self.initial, entry),
            None => self.initial.restore(&self.vcpu),
        }
    }
}
