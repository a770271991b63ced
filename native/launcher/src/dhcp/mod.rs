//! The DHCP server of one guest interface, on a socket that the node-daemon has opened on its tap.

use std::net::SocketAddrV4;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, sendto};

use crate::error::{Fault, OrFault, Result};
use crate::plan::DhcpAnswer;
use crate::wire::Lease;

mod offer;
mod packet;
mod rate;
mod resolv_conf;

/// For `crate::fuzzing` alone.
pub mod fuzzing {
    pub use super::offer::Offer;
    pub use super::packet::Question;
    pub use super::resolv_conf::ResolvConf;
}

use offer::Offer;
use packet::Question;
use rate::Rate;
use resolv_conf::ResolvConf;

/// A client of ours sends no more.
const MAX_DATAGRAM: usize = 1500;
const CLIENT_PORT: u16 = 68;
/// Datagrams taken before others have their turn.
const AT_ONCE: usize = 16;

pub struct Dhcp {
    socket: OwnedFd,
    offer: Offer,
    rate: Rate,
    /// What the guest has; its own name follows from the last confirmed request.
    lease: Option<Lease>,
    granted: Lease,
}

impl Dhcp {
    pub fn new(plan: &DhcpAnswer, socket: OwnedFd, now: Instant) -> Result<Self> {
        let interface = &plan.interface;
        rustix::io::ioctl_fionbio(&socket, true)
            .or_fault(|| format!("preparing DHCP for interface {interface}"))?;
        // A pod without name servers is nobody's fault here; the guest then has none either.
        let text = std::fs::read_to_string(&plan.resolv_conf).unwrap_or_default();
        let resolv_conf = ResolvConf::parse(&text).with_subdomain(plan.subdomain.as_deref());
        let offer = Offer::new(plan, resolv_conf);
        Ok(Self {
            socket,
            offer: offer
                .ok_or_else(|| Fault::new(format!("interface {interface} has no MAC address")))?,
            rate: Rate::new(now),
            lease: None,
            granted: Lease {
                interface: interface.clone(),
                mac: plan.mac.clone(),
                address: plan.address.to_string(),
                hostname: None,
            },
        })
    }

    pub fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// Answers what has come; the lease if it is new or has changed.
    pub fn serve(&mut self, now: Instant) -> Option<Lease> {
        let before = self.lease.clone();
        for _ in 0..AT_ONCE {
            let mut bytes = [0; MAX_DATAGRAM];
            match recv(&self.socket, &mut bytes, RecvFlags::DONTWAIT) {
                Ok((_, length)) => self.answer(bytes.get(..length).unwrap_or_default(), now),
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        self.lease.clone().filter(|_| self.lease != before)
    }

    fn answer(&mut self, datagram: &[u8], now: Instant) {
        if !self.rate.allows(now) {
            return;
        }
        let Some(question) = Question::parse(datagram) else {
            return;
        };
        let Some(reply) = self.offer.reply(&question) else {
            return;
        };
        let to = SocketAddrV4::new(reply.to, CLIENT_PORT);
        // What gets lost is asked for again.
        let sent = sendto(
            &self.socket,
            &reply.bytes,
            SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            &to,
        );
        if sent.is_ok() && reply.is_lease {
            self.lease = Some(Lease {
                hostname: question.hostname,
                ..self.granted.clone()
            });
        }
    }
}

impl AsFd for Dhcp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
