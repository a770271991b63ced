//! The engine's control channel, as bytes: lines in, lines out, whose answer is whose. The engine runs an untrusted guest.
#![deny(clippy::arithmetic_side_effects)]

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Code, Refusal};
use crate::frame::MAX_FRAME;
use crate::lifecycle::{Own, Sign};
use crate::wire::Command;

/// Longest line that is taken: a longer answer would fit in no frame.
const MAX_LINE: usize = MAX_FRAME;
/// Most commands that wait for their answers.
const MAX_WAITING: usize = 256;
/// Most bytes that wait for an engine that does not read.
const MAX_UNSENT: usize = MAX_FRAME.saturating_mul(2);

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    Launcher(Own),
    Peer { peer: u64, request: u64 },
}

#[derive(Debug)]
pub enum Message {
    Greeting,
    /// The answer without its id, or the reason why there is none to show.
    Answer(Asker, Result<Answer, Refusal>),
    Event {
        raw: Box<RawValue>,
        sign: Option<Sign>,
    },
}

#[derive(Debug)]
pub struct Answer {
    /// `{"return": …}` or `{"error": …}`.
    pub raw: Box<RawValue>,
    /// What the engine says is wrong, where it refused.
    pub error: Option<String>,
}

#[derive(Default)]
pub struct Channel {
    held: Vec<u8>,
    /// Inside a line that is too long: the rest of it is thrown away.
    skipping: bool,
    unsent: Vec<u8>,
    /// In the order of asking, which is the order of the engine's answers.
    waiting: VecDeque<(u64, Asker)>,
    last_ticket: u64,
}

impl Channel {
    /// Queues a command of the launcher's own; those of the plan are in `setup`.
    pub fn tell(&mut self, own: Own, setup: &[Command]) {
        let plain = |execute: &str| {
            Cow::Owned(Command {
                execute: execute.into(),
                arguments: None,
            })
        };
        let command = match own {
            Own::Negotiate => plain("qmp_capabilities"),
            Own::SetUp(at) => match setup.get(at) {
                Some(command) => Cow::Borrowed(command),
                None => return,
            },
            Own::Continue => plain("cont"),
            Own::PowerButton => plain("system_powerdown"),
        };
        // Refused only by an engine that has not read for a long time: the grace period deals with that.
        let _ = self.ask(Asker::Launcher(own), &command);
    }

    pub fn ask(&mut self, asker: Asker, command: &Command) -> Result<(), Refusal> {
        if self.waiting.len() >= MAX_WAITING || self.unsent.len() > MAX_UNSENT {
            return Err(Refusal::new(
                Code::TooLarge,
                "the engine has too many commands to answer; try again later",
            ));
        }
        self.last_ticket = self.last_ticket.wrapping_add(1);
        let ticket = self.last_ticket;
        self.unsent.extend_from_slice(&line(ticket, command));
        self.waiting.push_back((ticket, asker));
        Ok(())
    }

    /// What is to be written to the engine; tell `sent` how much of it was.
    pub fn unsent(&self) -> &[u8] {
        &self.unsent
    }

    pub fn sent(&mut self, bytes: usize) {
        self.unsent.drain(..bytes.min(self.unsent.len()));
        if self.unsent.is_empty() {
            self.unsent = Vec::new();
        }
    }

    /// The engine is gone: who still waits for an answer.
    pub fn abandon(&mut self) -> Vec<Asker> {
        self.waiting.drain(..).map(|(_, asker)| asker).collect()
    }

    /// The messages that these bytes complete. What is no QMP is passed over.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = part.ends_with(b"\n");
            if !self.skipping {
                self.held.extend_from_slice(part);
                if self.held.len() > MAX_LINE {
                    self.held = Vec::new();
                    self.skipping = true;
                }
            }
            if !ends {
                continue;
            }
            let message = if self.skipping {
                self.oversized()
            } else {
                self.parse()
            };
            messages.extend(message);
            self.skipping = false;
            self.held = Vec::new();
        }
        messages
    }

    fn oversized(&mut self) -> Option<Message> {
        let (_, asker) = self.waiting.pop_front()?;
        Some(Message::Answer(
            asker,
            Err(Refusal::new(
                Code::TooLarge,
                "the engine's answer is above 1 MiB",
            )),
        ))
    }

    fn parse(&mut self) -> Option<Message> {
        let line: Line = serde_json::from_slice(&self.held).ok()?;
        if let Some(event) = line.event {
            let text = std::str::from_utf8(&self.held).ok()?.trim();
            let raw = RawValue::from_string(text.to_string()).ok()?;
            return Some(Message::Event {
                raw,
                sign: sign(&event, line.data.as_deref()),
            });
        }
        if line.greeting.is_some() {
            return Some(Message::Greeting);
        }
        let ticket = line.id?;
        let at = self
            .waiting
            .iter()
            .position(|(known, _)| *known == ticket)?;
        let (_, asker) = self.waiting.remove(at)?;
        Some(Message::Answer(asker, answer(line.value, line.error)))
    }
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "QMP")]
    greeting: Option<Box<RawValue>>,
    event: Option<String>,
    data: Option<Box<RawValue>>,
    id: Option<u64>,
    #[serde(rename = "return")]
    value: Option<Box<RawValue>>,
    error: Option<Box<RawValue>>,
}

fn answer(value: Option<Box<RawValue>>, error: Option<Box<RawValue>>) -> Result<Answer, Refusal> {
    #[derive(Deserialize)]
    struct Complaint {
        desc: String,
    }
    let (key, value) = match (value, &error) {
        (Some(value), _) => ("return", value),
        (None, Some(error)) => ("error", error.clone()),
        (None, None) => {
            return Err(Refusal::new(
                Code::EngineGone,
                "the engine's answer is no answer",
            ));
        }
    };
    let complaint = error.map(|raw| {
        serde_json::from_str::<Complaint>(raw.get()).map_or_else(|_| raw.to_string(), |it| it.desc)
    });
    let raw = RawValue::from_string(format!("{{\"{key}\":{value}}}"))
        .map_err(|_| Refusal::new(Code::EngineGone, "the engine's answer is no JSON"))?;
    Ok(Answer {
        raw,
        error: complaint,
    })
}

fn sign(event: &str, data: Option<&RawValue>) -> Option<Sign> {
    #[derive(Deserialize)]
    struct Shutdown {
        reason: String,
    }
    #[derive(Deserialize)]
    struct Watchdog {
        action: String,
    }
    match event {
        "STOP" => Some(Sign::Paused),
        "RESUME" => Some(Sign::Resumed),
        "RESET" => Some(Sign::Reset),
        "GUEST_PANICKED" => Some(Sign::Panicked),
        "WATCHDOG" => {
            let known = data.and_then(|raw| serde_json::from_str::<Watchdog>(raw.get()).ok());
            // What else it may do shows by a reset or by a shutdown.
            (known?.action == "poweroff").then_some(Sign::WatchdogExpired)
        }
        "SHUTDOWN" => {
            let known = data.and_then(|raw| serde_json::from_str::<Shutdown>(raw.get()).ok());
            Some(Sign::Shutdown {
                reason: known.map_or_else(String::new, |it| it.reason),
            })
        }
        _ => None,
    }
}

fn line(ticket: u64, command: &Command) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Out<'a> {
        execute: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        arguments: Option<&'a RawValue>,
        id: u64,
    }
    let out = Out {
        execute: &command.execute,
        arguments: command.arguments.as_deref(),
        id: ticket,
    };
    let mut line = serde_json::to_vec(&out).unwrap_or_default();
    // Inside JSON a line break can only be white space between values.
    line.iter_mut()
        .filter(|byte| **byte == b'\n')
        .for_each(|byte| *byte = b' ');
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests;
