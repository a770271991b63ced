//! Host facilities that Node.js lacks: safe paths, descriptors that travel, peer credentials, pidfds, network namespaces, KVM.
//!
//! Everything here is safe to call from any thread of a process that has many: nothing forks, installs signal handlers or
//! changes the namespace of the caller's thread. Descriptors are close-on-exec from birth.

pub mod block;
pub mod device;
pub mod dhcp_socket;
pub mod dir;
pub mod error;
pub mod hand_over;
pub mod kvm;
pub mod link;
mod netlink;
pub mod netns;
pub mod process;
pub mod tap;
#[cfg(test)]
mod testing;
pub mod unix;

pub use error::{Code, Error, Result};
