//! DHCP messages as bytes (RFC 2131 §2, RFC 2132). What is parsed here was written by a guest.
#![deny(clippy::arithmetic_side_effects)]

use std::net::Ipv4Addr;
use std::ops::Range;

/// Where options begin: the fixed part of 236 bytes and the cookie.
const OPTIONS: usize = 240;
const NEXT_SERVER: Range<usize> = 20..24;
const FILE: Range<usize> = 108..236;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// The least that some clients take, as BOOTP had it.
const LEAST: usize = 300;
/// Headers of IP and UDP, which a client's largest message includes.
const HEADERS: usize = 28;
const CLIENTS_LEAST: u16 = 576;
const CLIENTS_MOST: u16 = 1500;

pub mod option {
    pub const PAD: u8 = 0;
    pub const SUBNET_MASK: u8 = 1;
    pub const ROUTER: u8 = 3;
    pub const DNS_SERVERS: u8 = 6;
    pub const HOST_NAME: u8 = 12;
    pub const DOMAIN_NAME: u8 = 15;
    pub const MTU: u8 = 26;
    pub const BROADCAST: u8 = 28;
    pub const NTP_SERVERS: u8 = 42;
    pub const REQUESTED_ADDRESS: u8 = 50;
    pub const LEASE_SECONDS: u8 = 51;
    pub const MESSAGE_TYPE: u8 = 53;
    pub const SERVER: u8 = 54;
    pub const MAX_SIZE: u8 = 57;
    pub const CLIENT: u8 = 61;
    pub const TFTP_SERVER: u8 = 66;
    pub const BOOT_FILE: u8 = 67;
    pub const DOMAIN_SEARCH: u8 = 119;
    pub const END: u8 = 255;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Ack = 5,
    Nak = 6,
    Inform = 8,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [
            Self::Discover,
            Self::Offer,
            Self::Request,
            Self::Ack,
            Self::Nak,
            Self::Inform,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub kind: Kind,
    pub transaction: [u8; 4],
    pub flags: [u8; 2],
    /// The address that it has already, or 0.0.0.0.
    pub current: Ipv4Addr,
    /// The relay that it came through, or 0.0.0.0.
    pub relay: Ipv4Addr,
    pub mac: [u8; 6],
    pub requested: Option<Ipv4Addr>,
    pub server: Option<Ipv4Addr>,
    pub client: Option<Vec<u8>>,
    pub hostname: Option<String>,
    /// Most bytes that the answer may have.
    pub max_size: usize,
}

impl Question {
    /// `None` for what is no whole question of an Ethernet client.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (fixed, options) = bytes.split_at_checked(OPTIONS)?;
        if !fixed.starts_with(&[1, 1, 6]) || !fixed.ends_with(&COOKIE) {
            return None;
        }
        let options = Options::parse(options)?;
        let [kind] = options.fixed(option::MESSAGE_TYPE)?;
        let largest = options
            .fixed(option::MAX_SIZE)
            .map_or(CLIENTS_LEAST, u16::from_be_bytes);
        Some(Self {
            kind: Kind::of(kind)?,
            transaction: part(fixed, 4)?,
            flags: part(fixed, 10)?,
            current: part::<4>(fixed, 12)?.into(),
            relay: part::<4>(fixed, 24)?.into(),
            mac: part(fixed, 28)?,
            requested: options
                .fixed::<4>(option::REQUESTED_ADDRESS)
                .map(Into::into),
            server: options.fixed::<4>(option::SERVER).map(Into::into),
            client: options.of(option::CLIENT).map(<[u8]>::to_vec),
            hostname: options.of(option::HOST_NAME).and_then(hostname),
            max_size: usize::from(largest.clamp(CLIENTS_LEAST, CLIENTS_MOST))
                .saturating_sub(HEADERS),
        })
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Only what can stand in a name is repeated to others.
fn hostname(bytes: &[u8]) -> Option<String> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.".contains(byte);
    let name: String = bytes
        .iter()
        .take_while(|byte| **byte != 0)
        .map(|byte| char::from(*byte))
        .collect();
    (!name.is_empty() && name.len() <= 253 && name.bytes().all(|byte| is_plain(&byte)))
        .then_some(name)
}

/// Options in their order; of one that comes twice the first counts.
struct Options<'a>(Vec<(u8, &'a [u8])>);

impl<'a> Options<'a> {
    /// `None` if one is cut off.
    fn parse(mut rest: &'a [u8]) -> Option<Self> {
        let mut options = Vec::new();
        loop {
            rest = match rest {
                [] | [option::END, ..] => return Some(Self(options)),
                [option::PAD, rest @ ..] => rest,
                [code, length, rest @ ..] => {
                    let (value, rest) = rest.split_at_checked(usize::from(*length))?;
                    options.push((*code, value));
                    rest
                }
                [_] => return None,
            };
        }
    }

    fn of(&self, code: u8) -> Option<&'a [u8]> {
        self.0
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, value)| *value)
    }

    /// An option of exactly this length.
    fn fixed<const N: usize>(&self, code: u8) -> Option<[u8; N]> {
        self.of(code)?.try_into().ok()
    }
}

/// An answer in the making. Options are added by importance: one that does not fit any more is left out.
pub struct Answer {
    bytes: Vec<u8>,
    max_size: usize,
}

impl Answer {
    pub fn to(question: &Question, kind: Kind, address: Ipv4Addr) -> Self {
        let mut bytes = vec![2, 1, 6, 0];
        bytes.extend(question.transaction);
        bytes.extend([0; 2]); // seconds
        bytes.extend(question.flags);
        // A client that is refused has no address.
        let current = if kind == Kind::Ack {
            question.current
        } else {
            Ipv4Addr::UNSPECIFIED
        };
        bytes.extend(current.octets());
        bytes.extend(address.octets());
        bytes.extend([0; 8]); // next server, relay
        bytes.extend(question.mac);
        bytes.resize(OPTIONS.saturating_sub(COOKIE.len()), 0);
        bytes.extend(COOKIE);
        let mut answer = Self {
            bytes,
            max_size: question.max_size,
        };
        answer.add(option::MESSAGE_TYPE, &[kind as u8]);
        answer
    }

    /// Where a network boot goes on, as BOOTP has it: clients of old look here and not at options. A name that does not fit
    /// with its end mark is said by its option alone.
    pub fn boot(&mut self, server: Option<Ipv4Addr>, file: &[u8]) {
        let mut put = |at: Range<usize>, value: &[u8]| {
            let field = self.bytes.get_mut(at).unwrap_or_default();
            field
                .iter_mut()
                .zip(value)
                .for_each(|(to, from)| *to = *from);
        };
        if file.len() < FILE.len() {
            put(FILE, file);
        }
        if let Some(server) = server {
            put(NEXT_SERVER, &server.octets());
        }
    }

    /// An empty value is no option. One above 255 bytes is continued in further options of its code (RFC 3396).
    pub fn add(&mut self, code: u8, value: &[u8]) {
        let parts = value.chunks(255);
        let needed = value.len().saturating_add(parts.len().saturating_mul(2));
        // The end mark takes one.
        if self.bytes.len().saturating_add(needed) >= self.max_size {
            return;
        }
        for part in parts {
            self.bytes.push(code);
            self.bytes.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
            self.bytes.extend_from_slice(part);
        }
    }

    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.push(option::END);
        self.bytes.resize(self.bytes.len().max(LEAST), 0);
        self.bytes
    }
}

#[cfg(test)]
pub mod testing {
    use super::*;

    pub const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

    /// A client's message with these options, by hand.
    pub fn question(kind: Kind, options: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; OPTIONS];
        bytes[..8].copy_from_slice(&[1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
        bytes[10] = 0x80;
        bytes[28..34].copy_from_slice(&MAC);
        bytes[236..].copy_from_slice(&COOKIE);
        bytes.extend([option::MESSAGE_TYPE, 1, kind as u8]);
        for (code, value) in options {
            bytes.extend([*code, value.len() as u8]);
            bytes.extend(*value);
        }
        bytes.push(option::END);
        bytes
    }

    /// An option of an answer, with its continuations.
    pub fn option_of(answer: &[u8], code: u8) -> Option<Vec<u8>> {
        let options = Options::parse(&answer[OPTIONS..]).unwrap();
        let parts: Vec<&[u8]> = options
            .0
            .iter()
            .filter(|(known, _)| *known == code)
            .map(|(_, value)| *value)
            .collect();
        (!parts.is_empty()).then(|| parts.concat())
    }
}

#[cfg(test)]
mod tests;
