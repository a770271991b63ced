//! The socket on which the launcher answers a guest's DHCP. Use inside `netns::run_in`.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::net::sockopt::{set_socket_broadcast, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::error::{Error, Result};
use crate::link;

const SERVER_PORT: u16 = 67;

/// Opens a non-blocking UDP socket on port 67 of all addresses that hears and speaks on this link alone and may broadcast.
/// Its holder needs no capability. `NotFound` if there is no such link.
pub fn open(device: &str) -> Result<OwnedFd> {
    link::check_name(device)?;
    let failed =
        |errno| Error::of_errno(format_args!("opening the DHCP socket on {device}"), errno);
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)
        .map_err(failed)?;
    set_socket_reuseaddr(&socket, true).map_err(failed)?;
    set_socket_broadcast(&socket, true).map_err(failed)?;
    // Before bind: two taps of one pod have one such socket each.
    bind_to_device(&socket, device)?;
    rustix::net::bind(
        &socket,
        &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, SERVER_PORT),
    )
    .map_err(failed)?;
    Ok(socket)
}

fn bind_to_device(socket: &OwnedFd, device: &str) -> Result<()> {
    // SAFETY: the pointer is valid for the length passed with it; the kernel adds the NUL itself.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTODEVICE,
            device.as_ptr().cast(),
            device.len() as libc::socklen_t,
        )
    };
    if result != 0 {
        Err(Error::last(format_args!("binding a socket to {device}")))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::netns::run_in;
    use crate::testing::TestNetns;
    use std::net::UdpSocket;

    #[test]
    fn hears_a_client_that_has_no_address_yet_and_answers_by_broadcast() {
        let (Some(netns), Some(guest)) = (TestNetns::new(), TestNetns::new()) else {
            return;
        };
        netns.ip(&[
            "link",
            "add",
            "host",
            "type",
            "veth",
            "peer",
            "name",
            "guest",
            "netns",
            guest.name(),
        ]);
        netns.ip(&["addr", "add", "10.0.2.1/24", "dev", "host"]);
        netns.ip(&["link", "set", "host", "up"]);
        guest.ip(&["link", "set", "guest", "up"]);
        // The kernel lets a link send a moment after its peer came up, and drops what comes before.
        crate::testing::eventually(|| {
            netns
                .ip(&["-o", "link", "show", "host"])
                .contains("state UP")
                .then_some(())
        });
        let server = UdpSocket::from(run_in(netns.fd(), || open("host")).unwrap());
        // The guest's end has no address: sent from 0.0.0.0:68 to everybody, as a DHCP client does.
        let client = run_in(guest.fd(), || {
            let socket = UdpSocket::bind("0.0.0.0:68").unwrap();
            socket.set_broadcast(true).unwrap();
            bind_to_device(&socket.try_clone().unwrap().into(), "guest")?;
            Ok(socket)
        })
        .unwrap();
        client.send_to(b"discover", "255.255.255.255:67").unwrap();
        let mut buffer = [0; 16];
        let (length, from) = crate::testing::eventually(|| server.recv_from(&mut buffer).ok());
        assert_eq!((&buffer[..length], from.port()), (&b"discover"[..], 68));
        server.send_to(b"offer", "255.255.255.255:68").unwrap();
        client
            .set_read_timeout(Some(std::time::Duration::from_secs(5)))
            .unwrap();
        assert_eq!(client.recv(&mut buffer).unwrap(), 5);
    }

    #[test]
    fn two_links_of_one_namespace_have_a_socket_each() {
        let Some(netns) = TestNetns::new() else {
            return;
        };
        netns.ip(&[
            "link", "add", "tapa", "type", "veth", "peer", "name", "tapb",
        ]);
        let _a = run_in(netns.fd(), || open("tapa")).unwrap();
        let _b = run_in(netns.fd(), || open("tapb")).unwrap();
        assert_eq!(
            run_in(netns.fd(), || open("tapc")).unwrap_err().code,
            Code::NotFound
        );
    }
}
