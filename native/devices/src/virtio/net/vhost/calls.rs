//! The kernel's interface (`linux/vhost.h`), as far as a card needs it.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

const GET_FEATURES: u32 = 0x8008_af00;
const SET_FEATURES: u32 = 0x4008_af00;
const SET_OWNER: u32 = 0xaf01;
const SET_MEM_TABLE: u32 = 0x4008_af03;
const SET_VRING_NUM: u32 = 0x4008_af10;
const SET_VRING_ADDR: u32 = 0x4028_af11;
const SET_VRING_BASE: u32 = 0x4008_af12;
const GET_VRING_BASE: u32 = 0xc008_af12;
const SET_VRING_KICK: u32 = 0x4008_af20;
const SET_VRING_CALL: u32 = 0x4008_af21;
const SET_VRING_ERR: u32 = 0x4008_af22;
const NET_SET_BACKEND: u32 = 0x4008_af30;

/// Those that a device's thread makes; the others come before.
pub const REQUESTS: [u32; 10] = [
    SET_FEATURES,
    SET_MEM_TABLE,
    SET_VRING_NUM,
    SET_VRING_ADDR,
    SET_VRING_BASE,
    GET_VRING_BASE,
    SET_VRING_KICK,
    SET_VRING_CALL,
    SET_VRING_ERR,
    NET_SET_BACKEND,
];

/// Regions of memory that one table holds: RAM has at most two.
const MAX_REGIONS: usize = 8;

/// One thing that the kernel is told. Rings go by their number; no descriptor is -1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Owner,
    Features(u64),
    Memory(Vec<MemoryRegion>),
    Size(u32, u16),
    /// The next request that it takes.
    Position(u32, u16),
    /// By where this process has them.
    Addresses {
        ring: u32,
        descriptors: u64,
        available: u64,
        used: u64,
    },
    Interrupt(u32, RawFd),
    Error(u32, RawFd),
    Doorbell(u32, RawFd),
    Backend(u32, RawFd),
}

pub trait Kernel: Send + Sync {
    fn features(&self) -> io::Result<u64>;
    fn tell(&self, call: &Call) -> io::Result<()>;
    /// The next request that it would have taken, of a ring without a backend.
    fn position(&self, ring: u32) -> io::Result<u16>;
}

/// `struct vhost_memory_region`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryRegion {
    pub guest: u64,
    pub size: u64,
    pub user: u64,
    pub unused: u64,
}

/// `struct vhost_memory`.
#[repr(C)]
struct MemoryTable {
    count: u32,
    unused: u32,
    regions: [MemoryRegion; MAX_REGIONS],
}

/// `struct vhost_vring_state`.
#[repr(C)]
struct RingState {
    ring: u32,
    number: u32,
}

/// `struct vhost_vring_file`.
#[repr(C)]
struct RingFile {
    ring: u32,
    fd: i32,
}

/// `struct vhost_vring_addr`.
#[repr(C)]
struct RingAddresses {
    ring: u32,
    flags: u32,
    descriptors: u64,
    used: u64,
    available: u64,
    log: u64,
}

/// `/dev/vhost-net`, open.
pub struct Device(pub OwnedFd);

impl Device {
    /// # Safety
    /// The request takes a pointer to a `T`, or nothing where `T` is `()`.
    unsafe fn request<T>(&self, request: u32, argument: &mut T) -> io::Result<()> {
        let fd = self.0.as_raw_fd();
        // SAFETY: the descriptor is open; the argument is what the caller says and outlives the call.
        match unsafe { libc::ioctl(fd, libc::Ioctl::from(request), argument as *mut T) } {
            0.. => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn state(&self, request: u32, ring: u32, number: u16) -> io::Result<u16> {
        let mut state = RingState {
            ring,
            number: u32::from(number),
        };
        // SAFETY: all requests that are made here take this structure.
        unsafe { self.request(request, &mut state) }?;
        Ok(state.number as u16)
    }

    fn file(&self, request: u32, ring: u32, fd: RawFd) -> io::Result<()> {
        // SAFETY: all requests that are made here take this structure.
        unsafe { self.request(request, &mut RingFile { ring, fd }) }
    }
}

impl Kernel for Device {
    fn features(&self) -> io::Result<u64> {
        let mut features = 0u64;
        // SAFETY: it takes a pointer to 64 bits.
        unsafe { self.request(GET_FEATURES, &mut features) }?;
        Ok(features)
    }

    fn tell(&self, call: &Call) -> io::Result<()> {
        match call {
            // SAFETY: it takes nothing.
            Call::Owner => unsafe { self.request(SET_OWNER, &mut ()) },
            Call::Features(features) => {
                // SAFETY: it takes a pointer to 64 bits.
                unsafe { self.request(SET_FEATURES, &mut { *features }) }
            }
            Call::Memory(regions) => {
                let mut table = table(regions)?;
                // SAFETY: the table says itself how long it is.
                unsafe { self.request(SET_MEM_TABLE, &mut table) }
            }
            Call::Size(ring, size) => self.state(SET_VRING_NUM, *ring, *size).map(drop),
            Call::Position(ring, next) => self.state(SET_VRING_BASE, *ring, *next).map(drop),
            Call::Addresses {
                ring,
                descriptors,
                available,
                used,
            } => {
                let mut addresses = RingAddresses {
                    ring: *ring,
                    flags: 0,
                    descriptors: *descriptors,
                    used: *used,
                    available: *available,
                    log: 0,
                };
                // SAFETY: it takes this structure.
                unsafe { self.request(SET_VRING_ADDR, &mut addresses) }
            }
            Call::Interrupt(ring, fd) => self.file(SET_VRING_CALL, *ring, *fd),
            Call::Error(ring, fd) => self.file(SET_VRING_ERR, *ring, *fd),
            Call::Doorbell(ring, fd) => self.file(SET_VRING_KICK, *ring, *fd),
            Call::Backend(ring, fd) => self.file(NET_SET_BACKEND, *ring, *fd),
        }
    }

    fn position(&self, ring: u32) -> io::Result<u16> {
        self.state(GET_VRING_BASE, ring, 0)
    }
}

fn table(regions: &[MemoryRegion]) -> io::Result<MemoryTable> {
    let mut table = MemoryTable {
        count: u32::try_from(regions.len()).map_err(io::Error::other)?,
        unused: 0,
        regions: [MemoryRegion::default(); MAX_REGIONS],
    };
    let places = table.regions.get_mut(..regions.len());
    places
        .ok_or_else(|| io::Error::other("the guest's memory is in too many pieces"))?
        .copy_from_slice(regions);
    Ok(table)
}

#[cfg(test)]
mod tests {
    use std::mem::{offset_of, size_of};

    use super::*;

    /// The size of its argument is part of a request's number.
    fn size(request: u32) -> usize {
        (request >> 16 & 0x3fff) as usize
    }

    #[test]
    fn structures_are_as_long_as_their_requests_say() {
        assert_eq!(size(SET_FEATURES), size_of::<u64>());
        assert_eq!(size(SET_VRING_NUM), size_of::<RingState>());
        assert_eq!(size(GET_VRING_BASE), size_of::<RingState>());
        assert_eq!(size(SET_VRING_ADDR), size_of::<RingAddresses>());
        assert_eq!(size(NET_SET_BACKEND), size_of::<RingFile>());
        // Of the table it counts what stands before the regions.
        assert_eq!(size(SET_MEM_TABLE), offset_of!(MemoryTable, regions));
        assert_eq!(offset_of!(RingAddresses, used), 16);
        assert_eq!(offset_of!(RingAddresses, available), 24);
    }

    #[test]
    fn a_table_holds_as_many_regions_as_there_are() {
        let region = MemoryRegion {
            guest: 1,
            size: 2,
            user: 3,
            unused: 0,
        };
        let filled = table(&[region, region]).unwrap();
        assert_eq!(filled.count, 2);
        assert_eq!(filled.regions[1], region);
        assert_eq!(filled.regions[2], MemoryRegion::default());
        assert!(table(&[region; MAX_REGIONS + 1]).is_err());
    }

    #[test]
    fn what_is_no_vhost_is_refused() {
        let device = Device(std::fs::File::open("/dev/null").unwrap().into());
        assert!(device.features().is_err());
        assert!(device.tell(&Call::Owner).is_err());
        assert!(device.position(0).is_err());
    }
}
