//! Every error of the launcher: what it refuses a peer, and what goes wrong in its own work.

use std::fmt::{self, Display};

use serde::Serialize;

/// Why a request was refused; part of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Code {
    BadRequest,
    UnknownOp,
    BadPlan,
    NotStarted,
    AlreadyStarted,
    EngineGone,
    TooLarge,
}

/// The answer to a request that cannot be served. The connection lives on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// Something that could not be done. The text names the object and what was tried on it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault(String);

pub type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Says what was tried when it failed: `open(path).or_fault(|| format!("opening {path}"))`.
pub trait OrFault<T> {
    fn or_fault<D: Display>(self, doing: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: Display> OrFault<T> for std::result::Result<T, E> {
    fn or_fault<D: Display>(self, doing: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|cause| Fault(format!("{}: {cause}", doing())))
    }
}
