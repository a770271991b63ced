//! virtio-net (virtio 1.2, 5.1): one pair of queues over a tap that the process was given, open.
//!
//! The tap carries the same header before each frame that the queues carry, so that checksums and segmentation are left to whoever
//! can do them: to the guest's peer, or to nobody where the peer is on the same host. Where there is a vhost-net, the kernel carries
//! the frames and this process only starts and stops it.
//!
//! There is no control queue. Its commands choose which frames the device keeps from the driver, and a tap has only those that are
//! for the guest anyway; Linux filters for itself and may change its address.

mod counters;
mod header;
mod link;
mod receive;
mod transmit;
mod userspace;
mod vhost;
mod wire;

use std::os::fd::OwnedFd;
use std::sync::Arc;

pub use header::HEADER;
pub use link::Link;
use serde::{Deserialize, Serialize};
pub use vhost::Vhost;
pub use wire::{Tap, Wire};

use super::{Activation, DeviceState, Kind, Refused, VirtioDevice, Worker};
use counters::Counters;

/// Requests that the device's thread makes of its descriptors.
pub const REQUESTS: [u32; 11] = {
    let [a, b, c, d, e, f, g, h, i, j] = vhost::REQUESTS;
    [wire::TUNSETOFFLOAD, a, b, c, d, e, f, g, h, i, j]
};

/// Features by their bits.
pub mod feature {
    pub const CSUM: u64 = 1 << 0;
    pub const GUEST_CSUM: u64 = 1 << 1;
    pub const MTU: u64 = 1 << 3;
    pub const MAC: u64 = 1 << 5;
    pub const GUEST_TSO4: u64 = 1 << 7;
    pub const GUEST_TSO6: u64 = 1 << 8;
    pub const GUEST_ECN: u64 = 1 << 9;
    pub const HOST_TSO4: u64 = 1 << 11;
    pub const HOST_TSO6: u64 = 1 << 12;
    pub const HOST_ECN: u64 = 1 << 13;
    pub const MRG_RXBUF: u64 = 1 << 15;
    pub const STATUS: u64 = 1 << 16;
    pub const GUEST_USO4: u64 = 1 << 54;
    pub const GUEST_USO6: u64 = 1 << 55;
    pub const HOST_USO: u64 = 1 << 56;
}

const ALWAYS: u64 = feature::CSUM
    | feature::GUEST_CSUM
    | feature::MAC
    | feature::GUEST_TSO4
    | feature::GUEST_TSO6
    | feature::GUEST_ECN
    | feature::HOST_TSO4
    | feature::HOST_TSO6
    | feature::HOST_ECN
    | feature::MRG_RXBUF
    | feature::STATUS;
/// Segmentation of UDP, which older kernels' taps do not know.
const USO: u64 = feature::GUEST_USO4 | feature::GUEST_USO6 | feature::HOST_USO;

const QUEUE_SIZE: u16 = 256;
const RECEIVE: usize = 0;
const TRANSMIT: usize = 1;
/// Requests that one turn serves: a device's thread looks up after each, to see whether it shall stop.
const TURN: usize = 64;
/// The longest frame that a tap gives or takes: 64 KiB before segmentation with its Ethernet header and tags, and the header.
const MAX_FRAME: usize = HEADER + 65_535 + 22;

/// How the guest sees its card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub mac: [u8; 6],
    /// What the guest is told to send at most; `None` leaves it to the guest.
    pub mtu: Option<u16>,
}

/// Survives resets by the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub link_up: bool,
}

pub struct Net {
    settings: Settings,
    wire: Arc<dyn Wire>,
    vhost: Option<Arc<Vhost>>,
    link: Link,
    counters: Arc<Counters>,
}

impl Net {
    pub fn new(settings: Settings, wire: Arc<dyn Wire>, vhost: Option<Vhost>, link: Link) -> Net {
        Net {
            settings,
            wire,
            vhost: vhost.map(Arc::new),
            link,
            counters: Arc::default(),
        }
    }

    /// What the driver reads of its card.
    fn config(&self) -> [u8; 12] {
        let [a, b, c, d, e, f] = self.settings.mac;
        let [status, _] = u16::from(self.link.is_up()).to_le_bytes();
        let [low, high] = self.settings.mtu.unwrap_or(0).to_le_bytes();
        [a, b, c, d, e, f, status, 0, 1, 0, low, high]
    }
}

impl VirtioDevice for Net {
    fn kind(&self) -> Kind {
        Kind::Net
    }

    fn features(&self) -> u64 {
        let mtu = self.settings.mtu.map_or(0, |_| feature::MTU);
        let uso = if self.wire.segments_udp() { USO } else { 0 };
        ALWAYS | mtu | uso
    }

    fn queue_sizes(&self) -> &[u16] {
        &[QUEUE_SIZE, QUEUE_SIZE]
    }

    fn read_config(&self, offset: u64, data: &mut [u8]) {
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        let config = self.config();
        for (to, from) in data.iter_mut().zip(config.iter().skip(skipped)) {
            *to = *from;
        }
    }

    fn activate(&mut self, activation: Activation) -> Result<Box<dyn Worker>, Refused> {
        let mut queues = activation.queues.into_iter();
        let (Some(Some(receive)), Some(Some(transmit))) = (queues.next(), queues.next()) else {
            return Err(Refused);
        };
        let queues = [receive, transmit];
        let memory = activation.memory;
        let features = activation.features;
        let (wire, link) = (self.wire.clone(), self.link.clone());
        let worker: Box<dyn Worker> = match &self.vhost {
            Some(vhost) => Box::new(vhost::Carrier::new(vhost::Parts {
                vhost: vhost.clone(),
                queues,
                memory,
                wire,
                link,
                features,
                interrupt: activation.interrupt.clone(),
            })),
            None => Box::new(userspace::Carrier::new(userspace::Parts {
                queues,
                memory,
                wire,
                link,
                features,
                counters: self.counters.clone(),
            })),
        };
        self.link.connect(activation.interrupt);
        Ok(worker)
    }

    fn reset(&mut self) {
        self.link.disconnect();
    }

    /// Nothing where the kernel carries the frames: the tap itself counts then.
    fn counters(&self) -> Vec<(&'static str, u64)> {
        match self.vhost {
            Some(_) => Vec::new(),
            None => self.counters.list(),
        }
    }

    fn state(&self) -> DeviceState {
        DeviceState::Net(State {
            link_up: self.link.is_up(),
        })
    }
}

/// The link is up again: what has come meanwhile is gone, as on any cable. Returns how many frames that were.
fn discard(wire: &dyn Wire) -> usize {
    /// Longer than a tap's queue; whoever sends may send on.
    const MOST: usize = 2048;
    // What does not fit is cut off.
    let mut frame = [0; HEADER + 1];
    let read = || rustix::io::read(wire.fd(), &mut frame);
    std::iter::repeat_with(read)
        .take(MOST)
        .take_while(|read| matches!(read, Ok(1..)))
        .count()
}

/// Opens nothing: takes over the descriptors that the process was given.
pub fn attach(tap: OwnedFd, vhost: Option<OwnedFd>) -> std::io::Result<(Tap, Option<Vhost>)> {
    Ok((Tap::new(tap)?, vhost.map(Vhost::new).transpose()?))
}

#[cfg(test)]
mod tests;
