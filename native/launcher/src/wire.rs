//! What travels on `launcher.sock`: the Rust side of `api/src/wire/launcher.ts`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Code, Refusal};
use crate::lifecycle::Phase;
use crate::outcome::Outcome;
use crate::plan::Plan;

/// The newest protocol version that this launcher speaks.
pub const PROTOCOL: u64 = 2;

#[derive(Debug)]
pub enum Request {
    Hello { protocol: u64 },
    Start(Box<Plan>),
    Status,
    Engine(Command),
    Subscribe { from: u64 },
    Shutdown { grace_seconds: u64 },
    Kill,
}

/// A QMP command; its id is the launcher's business. Arguments go through untouched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    pub execute: String,
    pub arguments: Option<Box<RawValue>>,
}

/// Bytes from which no id can be taken, so that nothing can be answered: the connection ends.
#[derive(Debug, PartialEq, Eq)]
pub struct NoRequest;

/// The request's id, and what is asked or why it cannot be.
pub fn parse(body: &[u8]) -> Result<(u64, Result<Request, Refusal>), NoRequest> {
    #[derive(Deserialize)]
    struct Envelope {
        id: u64,
        op: String,
    }
    let Envelope { id, op } = serde_json::from_slice(body).map_err(|_| NoRequest)?;
    Ok((id, fields(&op, body)))
}

fn fields(op: &str, body: &[u8]) -> Result<Request, Refusal> {
    #[derive(Deserialize)]
    struct Hello {
        protocol: u64,
    }
    #[derive(Deserialize)]
    struct Start {
        plan: Box<Plan>,
    }
    #[derive(Deserialize)]
    struct Engine {
        command: Command,
    }
    #[derive(Deserialize)]
    struct Subscribe {
        from: u64,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shutdown {
        grace_seconds: u64,
    }
    Ok(match op {
        "hello" => Request::Hello {
            protocol: of::<Hello>(body, Code::BadRequest)?.protocol,
        },
        "start" => Request::Start(of::<Start>(body, Code::BadPlan)?.plan),
        "status" => Request::Status,
        "engine" => Request::Engine(of::<Engine>(body, Code::BadRequest)?.command),
        "subscribe" => Request::Subscribe {
            from: of::<Subscribe>(body, Code::BadRequest)?.from,
        },
        "shutdown" => Request::Shutdown {
            grace_seconds: of::<Shutdown>(body, Code::BadRequest)?.grace_seconds,
        },
        "kill" => Request::Kill,
        _ => {
            return Err(Refusal::new(
                Code::UnknownOp,
                format!("there is no request {op:.40}"),
            ));
        }
    })
}

fn of<T: DeserializeOwned>(body: &[u8], code: Code) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new(code, error.to_string()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello<'a> {
    pub protocol: u64,
    pub version: &'a str,
    pub uid: &'a str,
    pub state: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<&'a str>,
    pub last_seq: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status<'a> {
    pub state: Phase,
    /// In the pod's own process namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_pid: Option<i32>,
    /// Milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<u64>,
    pub last_seq: u64,
    pub leases: Vec<&'a Lease>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lease {
    pub interface: String,
    pub mac: String,
    pub address: String,
    /// As the guest calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

#[derive(Serialize)]
pub struct Started {
    pub state: Phase,
}

#[derive(Serialize)]
pub struct Subscribed {
    pub first: u64,
}

/// The engine's own answer, `return` or `error`, byte for byte.
#[derive(Serialize)]
pub struct Relayed<'a> {
    pub reply: &'a RawValue,
}

#[derive(Serialize)]
pub struct Empty {}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Event<'a> {
    State {
        state: Phase,
        /// `Paused` where the guest has been made, and waits to be resumed.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
    },
    Engine {
        qmp: &'a RawValue,
    },
    Lease(&'a Lease),
    Exited {
        outcome: Outcome,
        message: &'a str,
    },
}

/// The body of an answer.
pub fn answer(id: u64, result: Result<impl Serialize, &Refusal>) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Result_<'a, T> {
        Ok(T),
        Error(&'a Refusal),
    }
    #[derive(Serialize)]
    struct Answer<'a, T> {
        id: u64,
        #[serde(flatten)]
        result: Result_<'a, T>,
    }
    let result = match result {
        Ok(ok) => Result_::Ok(ok),
        Err(refusal) => Result_::Error(refusal),
    };
    body_of(&Answer { id, result })
}

/// The body of event `seq`, which happened `at` milliseconds since the epoch.
pub fn event(seq: u64, at: u64, event: &Event<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Numbered<'a> {
        seq: u64,
        at: u64,
        event: &'a Event<'a>,
    }
    body_of(&Numbered { seq, at, event })
}

/// None of our types can fail to serialize: they have text keys and no fallible parts.
fn body_of(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
