//! What the targets of `native/fuzz` reach: everything here is fed with bytes of somebody else's. No API for anybody else.

pub use crate::arguments::{NATIVE, fill};
pub use crate::base64::decode as decode_base64;
pub use crate::child::plain;
pub use crate::dhcp::fuzzing::{Offer, Question, ResolvConf};
pub use crate::files::classify as classify_image;
pub use crate::frame::{Decoder, MAX_FRAME, frame};
pub use crate::iso::{Entry, write as write_iso};
pub use crate::last_words::of_panic;
pub use crate::plan::{DhcpAnswer, LeaseOptions, Plan, PrivateOption};
pub use crate::qmp::{Asker, Channel, Message};
pub use crate::wire::{Command, Request, parse as parse_request};
