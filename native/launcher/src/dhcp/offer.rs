//! What one guest interface is told, and what is said to each question. Pure.
#![deny(clippy::arithmetic_side_effects)]

use std::net::Ipv4Addr;

use super::packet::{Answer, Kind, Question, option};
use super::resolv_conf::ResolvConf;
use crate::plan::{DhcpAnswer, LeaseOptions, parse_mac};

/// A year: the address is the guest's for as long as its pod lives.
const LEASE_SECONDS: u32 = 365 * 24 * 3600;

pub struct Offer {
    mac: [u8; 6],
    address: Ipv4Addr,
    mask: Ipv4Addr,
    router: Ipv4Addr,
    mtu: u16,
    hostname: String,
    resolv_conf: ResolvConf,
    options: LeaseOptions,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    pub bytes: Vec<u8>,
    pub to: Ipv4Addr,
    /// The guest has its address now.
    pub is_lease: bool,
}

impl Offer {
    /// `None` if the plan's address of the card is none, which its check has ruled out.
    pub fn new(plan: &DhcpAnswer, resolv_conf: ResolvConf) -> Option<Self> {
        let host_bits = 32u32.saturating_sub(plan.prefix_length.into());
        let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self {
            mac: parse_mac(&plan.mac)?,
            address: plan.address,
            mask: mask.into(),
            router: plan.router,
            mtu: plan.mtu,
            hostname: plan.hostname.clone(),
            resolv_conf,
            options: plan.options.clone(),
        })
    }

    /// `None` where a server has to be silent: other cards, other servers' clients, relays, and what needs no answer.
    pub fn reply(&self, question: &Question) -> Option<Reply> {
        if question.mac != self.mac || !question.relay.is_unspecified() {
            return None;
        }
        match question.kind {
            Kind::Discover => Some(self.answer(question, Kind::Offer, self.address)),
            Kind::Inform => Some(self.answer(question, Kind::Ack, Ipv4Addr::UNSPECIFIED)),
            Kind::Request => self.confirm(question),
            Kind::Offer | Kind::Ack | Kind::Nak => None,
        }
    }

    fn confirm(&self, question: &Question) -> Option<Reply> {
        if question.server.is_some_and(|server| server != self.router) {
            return None;
        }
        let current = Some(question.current).filter(|address| !address.is_unspecified());
        let wanted = question.requested.or(current)?;
        if wanted == self.address {
            return Some(self.answer(question, Kind::Ack, self.address));
        }
        let mut answer = Answer::to(question, Kind::Nak, Ipv4Addr::UNSPECIFIED);
        answer.add(option::SERVER, &self.router.octets());
        Some(Reply {
            bytes: answer.into_bytes(),
            to: Ipv4Addr::BROADCAST,
            is_lease: false,
        })
    }

    fn answer(&self, question: &Question, kind: Kind, address: Ipv4Addr) -> Reply {
        let is_lease = kind == Kind::Ack && !address.is_unspecified();
        let mut answer = Answer::to(question, kind, address);
        answer.add(option::SERVER, &self.router.octets());
        if !address.is_unspecified() {
            answer.add(option::LEASE_SECONDS, &LEASE_SECONDS.to_be_bytes());
        }
        answer.add(option::SUBNET_MASK, &self.mask.octets());
        answer.add(option::ROUTER, &self.router.octets());
        answer.add(option::DNS_SERVERS, &self.resolv_conf.server_bytes());
        answer.add(option::MTU, &self.mtu.to_be_bytes());
        answer.add(option::HOST_NAME, self.hostname.as_bytes());
        self.add_what_was_asked_for(&mut answer);
        // RFC 6842: a client that names itself is named in the answer.
        answer.add(
            option::CLIENT,
            question.client.as_deref().unwrap_or_default(),
        );
        answer.add(option::BROADCAST, &self.broadcast().octets());
        answer.add(
            option::DOMAIN_NAME,
            self.resolv_conf
                .search
                .first()
                .map_or(&[], |domain| domain.as_bytes()),
        );
        answer.add(option::DOMAIN_SEARCH, &self.resolv_conf.search_bytes());
        Reply {
            bytes: answer.into_bytes(),
            to: self.destination(question),
            is_lease,
        }
    }

    /// Admission has seen to it that all of this fits into the smallest answer.
    fn add_what_was_asked_for(&self, answer: &mut Answer) {
        let LeaseOptions {
            boot_file_name,
            tftp_server_name,
            ntp_servers,
            private_options,
        } = &self.options;
        answer.boot(tftp_server_name.parse().ok(), boot_file_name.as_bytes());
        answer.add(option::TFTP_SERVER, tftp_server_name.as_bytes());
        answer.add(option::BOOT_FILE, boot_file_name.as_bytes());
        let servers: Vec<u8> = ntp_servers.iter().flat_map(Ipv4Addr::octets).collect();
        answer.add(option::NTP_SERVERS, &servers);
        for private in private_options {
            answer.add(private.option, private.value.as_bytes());
        }
    }

    fn broadcast(&self) -> Ipv4Addr {
        (u32::from(self.address) | !u32::from(self.mask)).into()
    }

    /// A client that has our address listens on it alone; one that has none yet can only be reached by broadcast, for it
    /// answers no ARP.
    fn destination(&self, question: &Question) -> Ipv4Addr {
        if question.current == self.address {
            self.address
        } else {
            Ipv4Addr::BROADCAST
        }
    }
}

#[cfg(test)]
mod tests;
