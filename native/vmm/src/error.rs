//! What can go wrong before and beside the guest.

use std::error::Error;
use std::fmt;

pub type Result<T> = std::result::Result<T, Fault>;

/// What failed, in words for whoever reads the pod's log.
#[derive(Debug)]
pub struct Fault(String);

impl Fault {
    pub fn new(text: impl Into<String>) -> Fault {
        Fault(text.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl Error for Fault {}

pub trait OrFault<T> {
    /// Says what was being done.
    fn or_fault(self, doing: &str) -> Result<T>;
}

impl<T, E: fmt::Display> OrFault<T> for std::result::Result<T, E> {
    fn or_fault(self, doing: &str) -> Result<T> {
        self.map_err(|error| Fault(format!("{doing}: {error}")))
    }
}

impl<T> OrFault<T> for Option<T> {
    fn or_fault(self, doing: &str) -> Result<T> {
        self.ok_or_else(|| Fault(doing.to_string()))
    }
}
