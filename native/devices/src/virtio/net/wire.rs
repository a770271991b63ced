//! What a card is plugged into: a tap, each of whose frames is one read or write, with its header in front.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::feature;
use super::header::HEADER;

const TUNGETIFF: u32 = 0x8004_54d2;
pub(super) const TUNSETOFFLOAD: u32 = 0x4004_54d0;
const TUNSETVNETHDRSZ: u32 = 0x4004_54d8;

/// What the kernel may leave to the guest of a frame that it gives.
mod offload {
    pub const CSUM: u64 = 1;
    pub const TSO4: u64 = 2;
    pub const TSO6: u64 = 4;
    pub const TSO_ECN: u64 = 8;
    /// Both or none: the kernel knows no difference.
    pub const USO: u64 = 0x20 | 0x40;
}

pub trait Wire: Send + Sync {
    /// Never blocks.
    fn fd(&self) -> BorrowedFd<'_>;

    /// Frames come as a driver with these features can take them.
    fn set_features(&self, features: u64) -> io::Result<()>;

    fn segments_udp(&self) -> bool;
}

pub struct Tap {
    fd: OwnedFd,
    segments_udp: bool,
}

impl Tap {
    /// Fails for a descriptor that is no tap, or one whose frames have other headers. What reads from it afterwards does not block.
    pub fn new(fd: OwnedFd) -> io::Result<Tap> {
        let mut interface = InterfaceRequest {
            name: [0; libc::IFNAMSIZ],
            flags: 0,
            unused: [0; 22],
        };
        // SAFETY: the structure has the size and layout of the kernel's, and outlives the call.
        unsafe { request(&fd, TUNGETIFF, (&raw mut interface) as usize) }?;
        // Linux says IFF_NO_PI of every one.
        let wanted = libc::IFF_TAP | libc::IFF_VNET_HDR;
        if i32::from(interface.flags) & (wanted | libc::IFF_TUN) != wanted {
            return Err(io::Error::other("this is no tap with IFF_VNET_HDR"));
        }
        let size = libc::c_int::try_from(HEADER).map_err(io::Error::other)?;
        // SAFETY: the kernel reads one int.
        unsafe { request(&fd, TUNSETVNETHDRSZ, (&raw const size) as usize) }?;
        rustix::io::ioctl_fionbio(&fd, true)?;
        let all = offload::CSUM | offload::TSO4 | offload::TSO6 | offload::TSO_ECN;
        let segments_udp = set_offloads(&fd, all | offload::USO).is_ok();
        // Until there is a driver.
        set_offloads(&fd, 0)?;
        Ok(Tap { fd, segments_udp })
    }
}

impl Wire for Tap {
    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn set_features(&self, features: u64) -> io::Result<()> {
        set_offloads(&self.fd, offloads(features))
    }

    fn segments_udp(&self) -> bool {
        self.segments_udp
    }
}

/// What depends on the checksum is nothing without it, whatever a driver accepted.
fn offloads(features: u64) -> u64 {
    if features & feature::GUEST_CSUM == 0 {
        return 0;
    }
    let tcp = feature::GUEST_TSO4 | feature::GUEST_TSO6;
    let uso = feature::GUEST_USO4 | feature::GUEST_USO6;
    let has = |wanted: u64| features & wanted == wanted;
    let bit = |wanted: bool, bits: u64| if wanted { bits } else { 0 };
    offload::CSUM
        | bit(has(feature::GUEST_TSO4), offload::TSO4)
        | bit(has(feature::GUEST_TSO6), offload::TSO6)
        | bit(
            has(feature::GUEST_ECN) && features & tcp != 0,
            offload::TSO_ECN,
        )
        | bit(has(uso), offload::USO)
}

fn set_offloads(fd: &OwnedFd, offloads: u64) -> io::Result<()> {
    let value = usize::try_from(offloads).map_err(io::Error::other)?;
    // SAFETY: the argument is taken by value.
    unsafe { request(fd, TUNSETOFFLOAD, value) }
}

/// `struct ifreq`.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; libc::IFNAMSIZ],
    flags: libc::c_short,
    unused: [u8; 22],
}

/// # Safety
/// The argument is what the request takes.
unsafe fn request(fd: &OwnedFd, request: u32, argument: usize) -> io::Result<()> {
    // SAFETY: the descriptor is open, and the caller answers for the argument.
    match unsafe { libc::ioctl(fd.as_raw_fd(), libc::Ioctl::from(request), argument) } {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_leaves_to_the_guest_follows_from_its_features() {
        assert_eq!(offloads(0), 0);
        assert_eq!(offloads(feature::GUEST_CSUM), offload::CSUM);
        let tcp = feature::GUEST_TSO4 | feature::GUEST_TSO6 | feature::GUEST_ECN;
        assert_eq!(offloads(feature::GUEST_CSUM | tcp), 0xf);
        // Nothing goes without the checksum, no congestion mark without TCP, and of UDP the kernel knows one kind.
        assert_eq!(offloads(feature::GUEST_CSUM | feature::GUEST_ECN), 1);
        assert_eq!(offloads(tcp), 0);
        assert_eq!(offloads(feature::GUEST_CSUM | feature::GUEST_USO4), 1);
        assert_eq!(offloads(u64::MAX), 0x6f);
        // What the driver does for itself is not the tap's.
        assert_eq!(offloads(feature::HOST_TSO4 | feature::CSUM), 0);
    }
}
