//! One guest CPU: what it says of itself, the state it starts in, and the thread that runs it.

pub mod cpuid;
pub mod exits;
pub mod kick;
pub mod start;
pub mod state;
pub mod thread;
