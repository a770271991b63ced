//! The control protocol: QMP's framing and names (a greeting, one JSON object a line, answers by id, events), because that is
//! what the launcher relays. The commands are few, checked against their schema, and answered one after the other.

mod channel;
mod disks;
mod protocol;

pub use channel::Channel;
pub use disks::{block, block_stats};
pub use protocol::{
    Command, Event, Refusal, Request, RunState, answer, generic, greeting, parse, refusal, version,
};
