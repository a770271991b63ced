//! The control thread: it alone starts, pauses, resets and ends the guest, and carries keys to the serial port.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde_json::{Value, json};
use vmm_sys_util::eventfd::EventFd;
use wherry_devices::bus::lock;
use wherry_devices::event::as_fd;
use wherry_devices::power::{PowerEvent, PowerEvents};
use wherry_devices::virtio::block::Monitor;
use wherry_devices::virtio::net::Link;

use crate::config::OnReset;
use crate::control::{self, Channel, Command, Event, Request, RunState};
use crate::error::{Fault, OrFault, Result};
use crate::machine::Machine;

/// How the engine reaches single devices.
#[derive(Default)]
pub struct Handles {
    pub disks: Vec<Arc<Monitor>>,
    /// By the names of the cards.
    pub links: BTreeMap<String, Link>,
}

pub struct Engine {
    machine: Machine,
    handles: Handles,
    console: Arc<File>,
    channel: Channel,
    events: PowerEvents,
    drained: EventFd,
    on_reset: OnReset,
    state: RunState,
    last_event: u64,
    resets: u64,
    /// Whoever types at the serial port may still come.
    console_open: bool,
    /// The guest's run is over.
    ended: bool,
}

impl Engine {
    pub fn new(
        machine: Machine,
        handles: Handles,
        channel: Channel,
        events: PowerEvents,
        drained: EventFd,
        on_reset: OnReset,
    ) -> Engine {
        let console = machine.console();
        Engine {
            machine,
            handles,
            console,
            channel,
            events,
            drained,
            on_reset,
            state: RunState::Prelaunch,
            last_event: 0,
            resets: 0,
            console_open: true,
            ended: false,
        }
    }

    /// Boots the machine, and serves until the guest's run is over or the launcher is gone.
    pub fn serve(mut self) -> Result<()> {
        // First, for a large kernel takes its time.
        self.channel.send(&control::greeting())?;
        self.machine.boot()?;
        while !self.ended {
            let ready = self.wait()?;
            if ready.guest {
                self.hear_guest()?;
                self.hear_disks()?;
            }
            if ready.control {
                self.hear_launcher()?;
            }
            if ready.console && !self.ended {
                self.console_open = lock(self.machine.serial()).receive();
            }
            self.channel.flush()?;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<Ready> {
        // Emptied before the port is asked whether it has room, so that no change is missed.
        let _ = self.drained.read();
        let out = if self.channel.has_unsent() {
            PollFlags::OUT
        } else {
            PollFlags::empty()
        };
        let mut fds = vec![
            PollFd::from_borrowed_fd(self.channel.socket(), PollFlags::IN | out),
            PollFd::from_borrowed_fd(as_fd(self.events.wake()), PollFlags::IN),
            PollFd::from_borrowed_fd(as_fd(&self.drained), PollFlags::IN),
        ];
        let takes_keys = self.console_open && lock(self.machine.serial()).has_room();
        if takes_keys {
            fds.push(PollFd::new(&self.console, PollFlags::IN));
        }
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).or_fault("waiting for events"),
        }
        let came = |index: usize| fds.get(index).is_some_and(|it| !it.revents().is_empty());
        Ok(Ready {
            control: came(0),
            guest: came(1),
            console: came(3),
        })
    }

    fn hear_launcher(&mut self) -> Result<()> {
        let Some(lines) = self.channel.receive()? else {
            // Without its launcher nobody can stop this guest, or would miss it.
            return Err(Fault::new("the launcher has closed the control socket"));
        };
        for line in lines {
            let Request { id, command } = control::parse(&line);
            let done = command.and_then(|command| self.obey(command));
            let answer = match done {
                Ok(value) => control::answer(id.as_deref(), value),
                Err(refusal) => control::refusal(id.as_deref(), &refusal),
            };
            self.channel.send(&answer)?;
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) -> std::result::Result<Value, control::Refusal> {
        let done = match command {
            Command::Capabilities => Ok(()),
            Command::Status => return Ok(self.status()),
            Command::Version => return Ok(control::version()),
            Command::Statistics => return Ok(self.statistics()),
            Command::Cpus => return Ok(self.cpus()),
            Command::Block => return Ok(control::block(self.monitors())),
            Command::BlockStats => return Ok(control::block_stats(self.monitors())),
            Command::SetLink { name, up } => self.set_link(&name, up),
            Command::Continue => self.resume(),
            Command::Stop => self.pause(),
            Command::PowerButton => {
                self.machine.press_power_button();
                self.tell(Event::PowerButton)
            }
            Command::Reset => self.reset(false),
            Command::Quit => self.end(Event::Shutdown {
                by_guest: false,
                reason: "host-qmp-quit",
            }),
        };
        done.map(|()| json!({}))
            .map_err(|fault| control::generic(fault.to_string()))
    }

    fn status(&self) -> Value {
        let running = self.state == RunState::Running;
        json!({"running": running, "status": self.state.name()})
    }

    fn statistics(&self) -> Value {
        let devices = self
            .machine
            .devices()
            .counters()
            .into_iter()
            .map(|(kind, counts)| {
                let counts: serde_json::Map<String, Value> = counts
                    .into_iter()
                    .map(|(name, count)| (name.to_string(), count.into()))
                    .collect();
                json!({"kind": kind.name(), "counters": counts})
            });
        json!({
            "events": self.last_event,
            "resets": self.resets,
            "devices": devices.collect::<Vec<_>>(),
        })
    }

    /// Which thread runs which vCPU, as QMP tells it: their CPU times are the kernel's to tell.
    fn cpus(&self) -> Value {
        let threads = self.machine.vcpu_threads().into_iter().enumerate();
        threads
            .map(|(index, thread)| {
                json!({
                    "cpu-index": index,
                    "thread-id": thread,
                    "qom-path": format!("/cpu/{index}"),
                    "target": "x86_64",
                })
            })
            .collect()
    }

    fn set_link(&self, name: &str, up: bool) -> Result<()> {
        let link = self.handles.links.get(name);
        link.ok_or_else(|| Fault::new(format!("there is no card {name}")))?
            .set(up);
        Ok(())
    }

    fn hear_guest(&mut self) -> Result<()> {
        while let Some(event) = self.events.next() {
            if self.ended {
                return Ok(());
            }
            match event {
                PowerEvent::Off => self.end(Event::Shutdown {
                    by_guest: true,
                    reason: "guest-shutdown",
                })?,
                PowerEvent::Reset if self.on_reset == OnReset::End => {
                    self.end(Event::Shutdown {
                        by_guest: true,
                        reason: "guest-reset",
                    })?;
                }
                PowerEvent::Reset => self.reset(true)?,
                PowerEvent::CrashLoaded => self.tell(Event::CrashLoaded)?,
                PowerEvent::Panicked => {
                    self.tell(Event::Panicked)?;
                    self.end(Event::Shutdown {
                        by_guest: true,
                        reason: "guest-panic",
                    })?;
                }
                PowerEvent::Failed => self.fail()?,
            }
        }
        Ok(())
    }

    fn resume(&mut self) -> Result<()> {
        match self.state {
            RunState::Running => Ok(()),
            RunState::InternalError => Err(Fault::new("the guest must be reset first")),
            RunState::Prelaunch | RunState::Paused | RunState::IoError => {
                self.monitors().for_each(Monitor::clear_failure);
                self.state = RunState::Running;
                self.machine.run();
                self.tell(Event::Resumed)
            }
        }
    }

    fn pause(&mut self) -> Result<()> {
        if self.state != RunState::Running {
            return Ok(());
        }
        self.machine.pause()?;
        self.state = RunState::Paused;
        self.tell(Event::Stopped)
    }

    /// Runs on afterwards if it ran before; what a guest has stopped by its own fault runs as well.
    fn reset(&mut self, by_guest: bool) -> Result<()> {
        let runs = matches!(self.state, RunState::Running | RunState::InternalError);
        self.machine.pause()?;
        // What else it said before it was stopped was of its former life.
        while self.events.next().is_some() {}
        self.machine.reset()?;
        self.resets = self.resets.saturating_add(1);
        self.tell(Event::Reset { by_guest })?;
        if runs {
            self.state = RunState::Running;
            self.machine.run();
        }
        Ok(())
    }

    fn monitors(&self) -> impl Iterator<Item = &Monitor> {
        self.handles.disks.iter().map(Arc::as_ref)
    }

    /// A guest that needs a disk which has failed stands still until it is told to go on.
    fn hear_disks(&mut self) -> Result<()> {
        let failed = self.monitors().filter_map(|disk| {
            let failure = disk.untold_failure()?;
            let disk = disk.name().to_string();
            Some(Event::DiskFailed { disk, failure })
        });
        let failed: Vec<Event> = failed.collect();
        if failed.is_empty() || self.ended {
            return Ok(());
        }
        for event in failed {
            self.tell(event)?;
        }
        if self.state == RunState::Running {
            self.machine.pause()?;
            self.state = RunState::IoError;
            self.tell(Event::Stopped)?;
        }
        Ok(())
    }

    /// Left standing, to be looked at, reset or ended.
    fn fail(&mut self) -> Result<()> {
        self.machine.pause()?;
        self.state = RunState::InternalError;
        self.tell(Event::Stopped)
    }

    fn end(&mut self, last: Event) -> Result<()> {
        self.machine.pause()?;
        self.ended = true;
        self.tell(last)
    }

    fn tell(&mut self, event: Event) -> Result<()> {
        self.last_event = self.last_event.saturating_add(1);
        self.channel.send(&event.line(self.last_event))
    }
}

#[derive(Default)]
struct Ready {
    control: bool,
    guest: bool,
    console: bool,
}
