//! What one guest interface is told, and what is said to each question. Pure.
#![deny(clippy::arithmetic_side_effects)]

use std::net::Ipv4Addr;

use super::packet::{Answer, Kind, Question, option};
use super::resolv_conf::ResolvConf;
use crate::plan::{DhcpAnswer, parse_mac};

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
        // RFC 6842: a client that names itself is named in the answer.
        answer.add(
            option::CLIENT,
            question.client.as_deref().unwrap_or_default(),
        );
        answer.add(option::SUBNET_MASK, &self.mask.octets());
        answer.add(option::ROUTER, &self.router.octets());
        answer.add(option::DNS_SERVERS, &self.resolv_conf.server_bytes());
        answer.add(option::MTU, &self.mtu.to_be_bytes());
        answer.add(option::HOST_NAME, self.hostname.as_bytes());
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
mod tests {
    use super::super::packet::testing::{option_of, question};
    use super::*;

    const ADDRESS: [u8; 4] = [10, 0, 2, 2];
    const ROUTER: [u8; 4] = [10, 0, 2, 1];

    fn offer() -> Offer {
        let plan = DhcpAnswer {
            interface: "default".into(),
            socket: "dhcp".into(),
            mac: "02:00:00:00:00:01".into(),
            address: ADDRESS.into(),
            prefix_length: 24,
            router: ROUTER.into(),
            mtu: 1480,
            hostname: "my-vm".into(),
            resolv_conf: String::new(),
        };
        Offer::new(
            &plan,
            ResolvConf::parse("nameserver 10.96.0.10\nsearch a.b c\n"),
        )
        .unwrap()
    }

    fn asked(kind: Kind, options: &[(u8, &[u8])]) -> Question {
        Question::parse(&question(kind, options)).unwrap()
    }

    fn kind_of(reply: Option<Reply>) -> Option<u8> {
        reply.map(|reply| option_of(&reply.bytes, option::MESSAGE_TYPE).unwrap()[0])
    }

    fn request(options: &[(u8, &[u8])]) -> Option<u8> {
        kind_of(offer().reply(&asked(Kind::Request, options)))
    }

    #[test]
    fn a_discover_is_offered_everything_a_guest_needs() {
        let reply = offer()
            .reply(&asked(Kind::Discover, &[(option::CLIENT, b"\x01me")]))
            .unwrap();
        let of = |code| option_of(&reply.bytes, code);
        assert_eq!((reply.to, reply.is_lease), (Ipv4Addr::BROADCAST, false));
        assert_eq!(reply.bytes[16..20], ADDRESS);
        let expected: [(u8, &[u8]); 12] = [
            (option::MESSAGE_TYPE, &[Kind::Offer as u8]),
            (option::SERVER, &ROUTER),
            (option::LEASE_SECONDS, &31_536_000u32.to_be_bytes()),
            (option::CLIENT, b"\x01me"),
            (option::SUBNET_MASK, &[255, 255, 255, 0]),
            (option::ROUTER, &ROUTER),
            (option::DNS_SERVERS, &[10, 96, 0, 10]),
            (option::MTU, &[5, 200]),
            (option::HOST_NAME, b"my-vm"),
            (option::BROADCAST, &[10, 0, 2, 255]),
            (option::DOMAIN_NAME, b"a.b"),
            (option::DOMAIN_SEARCH, b"\x01a\x01b\0\x01c\0"),
        ];
        for (code, value) in expected {
            assert_eq!(of(code).as_deref(), Some(value), "option {code}");
        }
    }

    #[test]
    fn the_offered_address_is_confirmed_and_any_other_refused() {
        assert_eq!(
            request(&[
                (option::REQUESTED_ADDRESS, &ADDRESS),
                (option::SERVER, &ROUTER)
            ]),
            Some(Kind::Ack as u8)
        );
        assert_eq!(
            request(&[(option::REQUESTED_ADDRESS, &ADDRESS)]),
            Some(Kind::Ack as u8)
        );
        assert_eq!(
            request(&[(option::REQUESTED_ADDRESS, &[192, 168, 1, 9])]),
            Some(Kind::Nak as u8)
        );
        assert_eq!(request(&[]), None);
    }

    #[test]
    fn a_refusal_gives_no_address_and_is_broadcast() {
        let reply = offer()
            .reply(&asked(
                Kind::Request,
                &[(option::REQUESTED_ADDRESS, &[1, 2, 3, 4])],
            ))
            .unwrap();
        assert_eq!(
            (reply.to, reply.is_lease, &reply.bytes[16..20]),
            (Ipv4Addr::BROADCAST, false, &[0; 4][..])
        );
        assert_eq!(option_of(&reply.bytes, option::LEASE_SECONDS), None);
    }

    #[test]
    fn a_guest_that_renews_is_answered_at_its_address() {
        let renewing = Question {
            current: ADDRESS.into(),
            ..asked(Kind::Request, &[])
        };
        let reply = offer().reply(&renewing).unwrap();
        assert_eq!((reply.to, reply.is_lease), (ADDRESS.into(), true));
        let elsewhere = Question {
            current: [10, 9, 9, 9].into(),
            ..renewing
        };
        assert_eq!(kind_of(offer().reply(&elsewhere)), Some(Kind::Nak as u8));
    }

    #[test]
    fn a_guest_that_asks_for_settings_alone_gets_no_address() {
        let reply = offer().reply(&asked(Kind::Inform, &[])).unwrap();
        assert_eq!((&reply.bytes[16..20], reply.is_lease), (&[0; 4][..], false));
        assert_eq!(option_of(&reply.bytes, option::LEASE_SECONDS), None);
        assert_eq!(option_of(&reply.bytes, option::ROUTER).unwrap(), ROUTER);
    }

    #[test]
    fn others_are_not_answered() {
        let discover = asked(Kind::Discover, &[]);
        let silent = [
            Question {
                mac: [2, 0, 0, 0, 0, 2],
                ..discover.clone()
            },
            Question {
                relay: [10, 0, 0, 1].into(),
                ..discover.clone()
            },
            Question {
                kind: Kind::Offer,
                ..discover
            },
            asked(
                Kind::Request,
                &[
                    (option::REQUESTED_ADDRESS, &ADDRESS),
                    (option::SERVER, &[10, 0, 2, 9]),
                ],
            ),
        ];
        for question in silent {
            assert_eq!(offer().reply(&question), None, "{question:?}");
        }
    }

    #[test]
    fn a_small_client_gets_what_matters_most() {
        let long = "search ".to_string() + &"a-rather-long-domain.example.org ".repeat(30);
        let offer = Offer {
            resolv_conf: ResolvConf::parse(&long),
            ..offer()
        };
        let reply = offer.reply(&asked(Kind::Discover, &[])).unwrap();
        assert!(reply.bytes.len() <= 548);
        assert_eq!(option_of(&reply.bytes, option::DOMAIN_SEARCH), None);
        assert_eq!(option_of(&reply.bytes, option::ROUTER).unwrap(), ROUTER);
    }

    #[test]
    fn every_prefix_has_its_mask() {
        for (prefix, mask) in [
            (0, [0; 4]),
            (1, [128, 0, 0, 0]),
            (30, [255, 255, 255, 252]),
            (32, [255; 4]),
        ] {
            let plan = DhcpAnswer {
                prefix_length: prefix,
                ..serde_json::from_str(SAMPLE).unwrap()
            };
            let offer = Offer::new(&plan, ResolvConf::default()).unwrap();
            assert_eq!(offer.mask.octets(), mask);
        }
    }

    const SAMPLE: &str = r#"{"interface":"a","socket":"b","mac":"02:00:00:00:00:01","address":"10.0.2.2","prefixLength":24,"router":"10.0.2.1","mtu":1500,"hostname":"h","resolvConf":"/r"}"#;
}
