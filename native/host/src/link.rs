//! Network links of the calling thread's namespace: what they are, and bringing one up. Use inside `netns::run_in`.

use std::net::{IpAddr, Ipv4Addr};

use crate::error::{Code, Error, Result};
use crate::netlink::{Answer, Request, Socket, read_name, read_u16, read_u32, read_u64};

const IFINFOMSG: usize = 16;
const IFADDRMSG: usize = 8;
const NAME_MAX: usize = 15;

/// As the host counts: what a guest receives is transmitted by its tap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub rx_errors: u64,
    pub rx_dropped: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
    pub tx_errors: u64,
    pub tx_dropped: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub name: String,
    pub index: u32,
    /// Six bytes for Ethernet; empty for a link without an address.
    pub mac: Vec<u8>,
    pub mtu: u32,
    pub up: bool,
    /// Address and prefix length, IPv4 first.
    pub addresses: Vec<(IpAddr, u8)>,
    pub counters: Counters,
}

/// Reads a link by name. `NotFound` if there is none.
pub fn read(name: &str) -> Result<Link> {
    check_name(name)?;
    let socket = Socket::open()?;
    let mut link = read_link(&socket, name)?;
    link.addresses = read_addresses(&socket, link.index)?;
    Ok(link)
}

/// Sets MTU and the one IPv4 address of a link and brings it up. May be repeated.
pub(crate) fn configure(
    name: &str,
    address: Ipv4Addr,
    prefix_length: u8,
    mtu: u32,
) -> Result<Link> {
    let socket = Socket::open()?;
    let index = read_link(&socket, name)?.index;
    let up = fixed_link(index, libc::IFF_UP as u32);
    let request = Request::new(libc::RTM_NEWLINK, libc::NLM_F_ACK, &up)
        .attribute(libc::IFLA_MTU, &mtu.to_ne_bytes());
    socket.change(&format!("bringing up {name} with MTU {mtu}"), request)?;
    let host_bits = u32::MAX.checked_shr(u32::from(prefix_length)).unwrap_or(0);
    let broadcast = Ipv4Addr::from(u32::from(address) | host_bits);
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
    let mut fixed = [0; IFADDRMSG];
    fixed[0] = libc::AF_INET as u8;
    fixed[1] = prefix_length;
    fixed[4..].copy_from_slice(&index.to_ne_bytes());
    let request = Request::new(libc::RTM_NEWADDR, flags, &fixed)
        .attribute(libc::IFA_LOCAL, &address.octets())
        .attribute(libc::IFA_ADDRESS, &address.octets())
        .attribute(libc::IFA_BROADCAST, &broadcast.octets());
    socket.change(
        &format!("giving {name} the address {address}/{prefix_length}"),
        request,
    )?;
    read_link(&socket, name)
}

/// Deletes a link. False if there was none.
pub(crate) fn delete(name: &str) -> Result<bool> {
    check_name(name)?;
    let request = Request::new(libc::RTM_DELLINK, libc::NLM_F_ACK, &fixed_link(0, 0))
        .name(libc::IFLA_IFNAME, name);
    match Socket::open()?.change(&format!("deleting {name}"), request) {
        Ok(()) => Ok(true),
        Err(error) if error.code == Code::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) fn check_name(name: &str) -> Result<()> {
    let bad = |byte: u8| byte == b'/' || byte == b':' || byte <= b' ' || byte == 0x7f;
    if name.is_empty()
        || name.len() > NAME_MAX
        || name == "."
        || name == ".."
        || name.bytes().any(bad)
    {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("{name:?} is no interface name"),
        ));
    }
    Ok(())
}

/// ifinfomsg: family, type, index, flags, and the mask of the flags that are meant.
fn fixed_link(index: u32, set: u32) -> [u8; IFINFOMSG] {
    let mut fixed = [0; IFINFOMSG];
    fixed[4..8].copy_from_slice(&index.to_ne_bytes());
    fixed[8..12].copy_from_slice(&set.to_ne_bytes());
    fixed[12..16].copy_from_slice(&set.to_ne_bytes());
    fixed
}

fn read_link(socket: &Socket, name: &str) -> Result<Link> {
    let doing = format!("reading the link {name}");
    let request = Request::new(libc::RTM_GETLINK, libc::NLM_F_ACK, &fixed_link(0, 0))
        .name(libc::IFLA_IFNAME, name);
    let answers = socket.exchange(&doing, request)?;
    let answer = answers
        .iter()
        .find(|answer| answer.kind == libc::RTM_NEWLINK);
    answer
        .and_then(parse_link)
        .ok_or_else(|| Error::new(Code::System, format!("{doing}: no answer of the kernel")))
}

fn parse_link(answer: &Answer) -> Option<Link> {
    let mut link = Link {
        name: String::new(),
        index: read_u32(&answer.payload, 4)?,
        mac: Vec::new(),
        mtu: 0,
        up: read_u32(&answer.payload, 8)? & libc::IFF_UP as u32 != 0,
        addresses: Vec::new(),
        counters: Counters::default(),
    };
    for (kind, value) in answer.attributes(IFINFOMSG) {
        match kind {
            libc::IFLA_IFNAME => link.name = read_name(value),
            libc::IFLA_ADDRESS => link.mac = value.to_vec(),
            libc::IFLA_MTU => link.mtu = read_u32(value, 0)?,
            libc::IFLA_STATS64 => link.counters = parse_counters(value)?,
            _ => {}
        }
    }
    Some(link)
}

/// rtnl_link_stats64: packets, bytes, errors and drops, each received first.
fn parse_counters(value: &[u8]) -> Option<Counters> {
    let field = |number: usize| read_u64(value, number * 8);
    Some(Counters {
        rx_packets: field(0)?,
        tx_packets: field(1)?,
        rx_bytes: field(2)?,
        tx_bytes: field(3)?,
        rx_errors: field(4)?,
        tx_errors: field(5)?,
        rx_dropped: field(6)?,
        tx_dropped: field(7)?,
    })
}

fn read_addresses(socket: &Socket, index: u32) -> Result<Vec<(IpAddr, u8)>> {
    let request = Request::new(libc::RTM_GETADDR, libc::NLM_F_DUMP, &[0; IFADDRMSG]);
    let answers = socket.exchange("reading addresses", request)?;
    let mut found: Vec<_> = answers
        .iter()
        .filter(|answer| {
            answer.kind == libc::RTM_NEWADDR && read_u32(&answer.payload, 4) == Some(index)
        })
        .filter_map(parse_address)
        .collect();
    found.sort_by_key(|(address, _)| address.is_ipv6());
    Ok(found)
}

/// IFA_LOCAL is this end's address; IFA_ADDRESS is the other end's on a point-to-point link and all there is for IPv6.
fn parse_address(answer: &Answer) -> Option<(IpAddr, u8)> {
    let [_, prefix_length] = read_u16(&answer.payload, 0)?.to_ne_bytes();
    let of_kind = |wanted| {
        answer
            .attributes(IFADDRMSG)
            .find(|(kind, _)| *kind == wanted)
            .map(|(_, value)| value)
    };
    let value = of_kind(libc::IFA_LOCAL).or_else(|| of_kind(libc::IFA_ADDRESS))?;
    let address = match value.len() {
        4 => IpAddr::from(*value.first_chunk::<4>()?),
        16 => IpAddr::from(*value.first_chunk::<16>()?),
        _ => return None,
    };
    Some((address, prefix_length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netns::run_in;
    use crate::testing::TestNetns;

    #[test]
    fn the_loopback_of_a_fresh_namespace_is_read_down_and_then_up() {
        let Some(netns) = TestNetns::new() else {
            return;
        };
        let before = run_in(netns.fd(), || read("lo")).unwrap();
        assert_eq!(
            (before.name.as_str(), before.index, before.mtu, before.up),
            ("lo", 1, 65536, false)
        );
        assert!(before.addresses.is_empty());
        netns.ip(&["link", "set", "lo", "up"]);
        let after = run_in(netns.fd(), || read("lo")).unwrap();
        assert!(after.up);
        assert_eq!(
            after.addresses,
            [
                ("127.0.0.1".parse().unwrap(), 8),
                ("::1".parse().unwrap(), 128)
            ]
        );
    }

    #[test]
    fn traffic_is_counted() {
        let Some(netns) = TestNetns::new() else {
            return;
        };
        netns.ip(&["link", "set", "lo", "up"]);
        let counters = run_in(netns.fd(), || {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            socket
                .send_to(&[0; 100], socket.local_addr().unwrap())
                .unwrap();
            Ok(read("lo")?.counters)
        })
        .unwrap();
        assert_eq!((counters.rx_packets, counters.tx_packets), (1, 1));
        // 100 bytes of data, 8 of UDP, 20 of IP; the loopback does not count its Ethernet header.
        assert_eq!((counters.rx_bytes, counters.tx_bytes), (128, 128));
    }

    #[test]
    fn a_missing_link_is_not_found_and_deleting_it_is_no_error() {
        let Some(netns) = TestNetns::new() else {
            return;
        };
        assert_eq!(
            run_in(netns.fd(), || read("absent")).unwrap_err().code,
            Code::NotFound
        );
        assert!(!run_in(netns.fd(), || delete("absent")).unwrap());
    }

    #[test]
    fn names_that_no_link_can_have_are_refused_before_they_reach_a_path() {
        for name in ["", ".", "..", "a/b", "a b", "a:b", "sixteen-letters-"] {
            assert_eq!(check_name(name).unwrap_err().code, Code::InvalidArgument);
        }
        assert!(check_name("fifteen-letters").is_ok());
    }
}
