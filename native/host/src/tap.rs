//! The tap that carries a guest's interface. Use inside `netns::run_in`: the namespace is that of the calling thread.

use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags};

use crate::error::{Code, Error, Result};
use crate::link;

const TUNSETIFF: libc::Ioctl = 0x4004_54ca;
const TUNSETOWNER: libc::Ioctl = 0x4004_54cc;

/// What the tap is to be.
#[derive(Clone, Debug)]
pub struct Options {
    pub name: String,
    /// The host's end, the guest's gateway.
    pub address: Ipv4Addr,
    pub prefix_length: u8,
    pub mtu: u32,
    /// Who may attach without CAP_NET_ADMIN.
    pub owner: Option<u32>,
}

/// A tap that is up. It vanishes with its last descriptor, so a dead engine leaves nothing behind.
#[derive(Debug)]
pub struct Tap {
    pub fd: OwnedFd,
    pub mtu: u32,
}

/// `struct ifreq` as TUNSETIFF reads it.
#[repr(C)]
struct IfReq {
    name: [u8; libc::IFNAMSIZ],
    flags: libc::c_short,
    unused: [u8; 22],
}

/// Makes (or attaches to) the tap, sets owner, MTU and address, brings it up, and lets the namespace forward, also what comes
/// from its own loopback. `Busy` when an engine holds the tap. Whatever fails, no half-made tap stays.
pub fn set_up(options: &Options) -> Result<Tap> {
    link::check_name(&options.name)?;
    if options.prefix_length > 32 {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("{} is no prefix length", options.prefix_length),
        ));
    }
    let fd = attach(&options.name)?;
    if let Some(uid) = options.owner {
        // SAFETY: TUNSETOWNER takes its argument by value; the descriptor is open.
        let result = unsafe { libc::ioctl(fd.as_raw_fd(), TUNSETOWNER, libc::c_ulong::from(uid)) };
        check(result, || format!("giving {} to uid {uid}", options.name))?;
    }
    let link = link::configure(
        &options.name,
        options.address,
        options.prefix_length,
        options.mtu,
    )?;
    switch_on("/proc/sys/net/ipv4/ip_forward")?;
    // Without it the kernel drops what the pod's own loopback sends to the guest, and its answers.
    switch_on(&format!(
        "/proc/sys/net/ipv4/conf/{}/route_localnet",
        options.name
    ))?;
    Ok(Tap { fd, mtu: link.mtu })
}

/// Deletes the tap even while an engine holds it. False if there was none.
pub fn remove(name: &str) -> Result<bool> {
    link::delete(name)
}

fn attach(name: &str) -> Result<OwnedFd> {
    // Opened inside the namespace: a tap belongs to the one in which /dev/net/tun was opened.
    let fd = rustix::fs::openat(
        CWD,
        "/dev/net/tun",
        OFlags::RDWR | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|errno| Error::of_errno("opening /dev/net/tun", errno))?;
    let flags = libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR;
    let mut request = IfReq {
        name: [0; libc::IFNAMSIZ],
        flags: flags as libc::c_short,
        unused: [0; 22],
    };
    for (to, from) in request.name.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    // SAFETY: `request` has the size and layout of struct ifreq and outlives the call.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), TUNSETIFF, &raw mut request) };
    check(result, || format!("attaching to the tap {name}"))?;
    Ok(fd)
}

fn check(result: libc::c_int, doing: impl FnOnce() -> String) -> Result<()> {
    if result < 0 {
        Err(Error::last(doing()))
    } else {
        Ok(())
    }
}

/// /proc/sys/net shows the namespace of the calling thread. Read first: where it is on already, it may be read-only.
fn switch_on(path: &str) -> Result<()> {
    let current = std::fs::read(path)
        .map_err(|error| Error::of_io(format_args!("reading {path}"), &error))?;
    if current.trim_ascii() == b"1" {
        return Ok(());
    }
    std::fs::write(path, "1").map_err(|error| Error::of_io(format_args!("writing {path}"), &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netns::run_in;
    use crate::testing::TestNetns;

    fn options() -> Options {
        let address = Ipv4Addr::new(10, 0, 2, 1);
        Options {
            name: "tap0".into(),
            address,
            prefix_length: 24,
            mtu: 1450,
            owner: Some(107),
        }
    }

    #[test]
    fn the_tap_is_up_with_address_mtu_and_sysctls() {
        let Some(netns) = TestNetns::with_tun() else {
            return;
        };
        let tap = run_in(netns.fd(), || set_up(&options())).unwrap();
        assert_eq!(tap.mtu, 1450);
        let shown = netns.ip(&["-d", "addr", "show", "tap0"]);
        for part in [
            "mtu 1450",
            "inet 10.0.2.1/24 brd 10.0.2.255",
            "UP",
            "LOWER_UP",
            "vnet_hdr",
            "user 107",
        ] {
            assert!(shown.contains(part), "no {part:?} in {shown}");
        }
        for (name, value) in [("ip_forward", "1"), ("conf/tap0/route_localnet", "1")] {
            let path = format!("/proc/sys/net/ipv4/{name}");
            let found = run_in(netns.fd(), || Ok(std::fs::read_to_string(&path).unwrap())).unwrap();
            assert_eq!(found.trim(), value, "{name}");
        }
    }

    #[test]
    fn the_tap_goes_with_its_last_descriptor_and_can_be_made_again() {
        let Some(netns) = TestNetns::with_tun() else {
            return;
        };
        for _ in 0..2 {
            let tap = run_in(netns.fd(), || set_up(&options())).unwrap();
            assert!(netns.ip(&["link"]).contains("tap0"));
            drop(tap);
            assert!(!netns.ip(&["link"]).contains("tap0"));
        }
    }

    #[test]
    fn a_tap_that_an_engine_holds_is_busy_and_stays_as_it_is() {
        let Some(netns) = TestNetns::with_tun() else {
            return;
        };
        let held = run_in(netns.fd(), || set_up(&options())).unwrap();
        let again = run_in(netns.fd(), || {
            set_up(&Options {
                mtu: 1400,
                ..options()
            })
        });
        assert_eq!(again.unwrap_err().code, Code::Busy);
        assert!(netns.ip(&["link"]).contains("mtu 1450"));
        drop(held);
    }

    #[test]
    fn a_tap_that_was_made_persistent_is_used_again() {
        let Some(netns) = TestNetns::with_tun() else {
            return;
        };
        netns.ip(&["tuntap", "add", "tap0", "mode", "tap", "vnet_hdr"]);
        let tap = run_in(netns.fd(), || set_up(&options())).unwrap();
        assert_eq!(tap.mtu, 1450);
        assert!(run_in(netns.fd(), || remove("tap0")).unwrap());
        assert!(!run_in(netns.fd(), || remove("tap0")).unwrap());
    }

    #[test]
    fn a_failed_set_up_leaves_no_tap_and_so_no_descriptor_of_it() {
        let Some(netns) = TestNetns::with_tun() else {
            return;
        };
        let result = run_in(netns.fd(), || {
            set_up(&Options {
                mtu: 1,
                ..options()
            })
        });
        assert_eq!(result.unwrap_err().code, Code::InvalidArgument);
        assert!(!netns.ip(&["link"]).contains("tap0"));
    }
}
