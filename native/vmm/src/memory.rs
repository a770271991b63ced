//! The guest's RAM: one sealed memfd, mapped shared, that a core dump leaves out.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::raw::c_void;

use rustix::fs::{
    FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, ftruncate, memfd_create,
};
use rustix::mm::{Advice, madvise};
use vm_memory::bitmap::AtomicBitmap;
use vm_memory::mmap::MmapRegionBuilder;
use vm_memory::{FileOffset, GuestAddress, GuestMemoryBackend, GuestMemoryRegion, GuestRegionMmap};
use wherry_devices::memory::Ram;

use crate::error::{OrFault, Result};
use crate::layout::{self, PAGE};

pub struct Memory {
    ram: Ram,
    file: OwnedFd,
    size: u64,
}

/// One stretch of RAM for KVM.
pub struct Slot {
    pub guest: u64,
    pub size: u64,
    pub host: u64,
}

impl Memory {
    /// `size` bytes, in whole pages.
    pub fn new(size: u64) -> Result<Memory> {
        let doing = "making the guest's memory";
        let file = memfd_create(
            "guest-ram",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::NOEXEC_SEAL,
        )
        // Linux before 6.3 knows no NOEXEC_SEAL.
        .or_else(|_| memfd_create("guest-ram", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING))
        .or_fault(doing)?;
        ftruncate(&file, size).or_fault(doing)?;
        // Whoever else gets the descriptor can take no page away from under us.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
            .or_fault(doing)?;
        let mut offset = 0u64;
        let mut regions = Vec::new();
        for range in layout::ram(size) {
            let length = range.end.saturating_sub(range.start);
            let backing = FileOffset::new(File::from(file.try_clone().or_fault(doing)?), offset);
            regions.push(region(range.start, length, backing)?);
            offset = offset.saturating_add(length);
        }
        let ram = Ram::from_regions(regions).or_fault(doing)?;
        Ok(Memory { ram, file, size })
    }

    pub fn ram(&self) -> &Ram {
        &self.ram
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn slots(&self) -> Vec<Slot> {
        self.ram
            .iter()
            .map(|region| Slot {
                guest: region.start_addr().0,
                size: region.len(),
                host: region.as_ptr() as u64,
            })
            .collect()
    }

    /// Everything reads as zeros again and takes no room. Nothing may run in the guest.
    pub fn clear(&self) -> Result<()> {
        fallocate(
            self.file.as_fd(),
            FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
            0,
            self.size,
        )
        .or_fault("clearing the guest's memory")
    }
}

fn region(guest: u64, length: u64, backing: FileOffset) -> Result<GuestRegionMmap<AtomicBitmap>> {
    let doing = "mapping the guest's memory";
    let length = usize::try_from(length).or_fault(doing)?;
    let page = std::num::NonZeroUsize::new(PAGE as usize).or_fault(doing)?;
    let mapping = MmapRegionBuilder::new_with_bitmap(length, AtomicBitmap::new(length, page))
        .with_mmap_prot(libc::PROT_READ | libc::PROT_WRITE)
        .with_mmap_flags(libc::MAP_SHARED | libc::MAP_NORESERVE)
        .with_file_offset(backing)
        .build()
        .or_fault(doing)?;
    let start: *mut c_void = mapping.as_ptr().cast();
    // SAFETY: the mapping is ours alone and this advice changes nothing that Rust could see.
    unsafe { madvise(start, length, Advice::LinuxDontDump) }.or_fault(doing)?;
    GuestRegionMmap::new(mapping, GuestAddress(guest)).or_fault(doing)
}

#[cfg(test)]
mod tests {
    use vm_memory::Bytes;
    use vm_memory::bitmap::Bitmap;

    use super::*;
    use crate::layout::{GIB, MIB};

    #[test]
    fn reads_as_zeros_at_first_and_after_it_was_cleared() {
        let memory = Memory::new(4 * MIB).unwrap();
        let at = GuestAddress(MIB);
        assert_eq!(memory.ram().read_obj::<u64>(at).unwrap(), 0);
        memory.ram().write_obj(7u64, at).unwrap();
        assert_eq!(memory.ram().read_obj::<u64>(at).unwrap(), 7);
        memory.clear().unwrap();
        assert_eq!(memory.ram().read_obj::<u64>(at).unwrap(), 0);
    }

    #[test]
    fn our_own_writes_are_noted() {
        let memory = Memory::new(4 * MIB).unwrap();
        memory.ram().write_obj(7u64, GuestAddress(PAGE)).unwrap();
        let region = memory.ram().iter().next().unwrap();
        let dirty = |page: u64| region.bitmap().dirty_at((page * PAGE) as usize);
        assert_eq!([0, 1, 2].map(dirty), [false, true, false]);
    }

    #[test]
    fn large_guests_have_a_hole() {
        let memory = Memory::new(5 * GIB).unwrap();
        let slots: Vec<_> = memory
            .slots()
            .iter()
            .map(|slot| (slot.guest, slot.size))
            .collect();
        assert_eq!(slots, [(0, 3 * GIB), (4 * GIB, 2 * GIB)]);
        assert!(memory.ram().read_obj::<u8>(GuestAddress(3 * GIB)).is_err());
        // The two stretches are different parts of the file.
        memory.ram().write_obj(1u8, GuestAddress(0)).unwrap();
        let above = memory.ram().read_obj::<u8>(GuestAddress(4 * GIB));
        assert_eq!(above.unwrap(), 0);
    }

    #[test]
    fn the_file_cannot_change_its_size_and_is_in_no_core_dump() {
        let memory = Memory::new(MIB).unwrap();
        assert!(ftruncate(&memory.file, 0).is_err());
        assert!(ftruncate(&memory.file, 2 * MIB).is_err());
        let host = memory.slots()[0].host;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut lines = maps
            .lines()
            .skip_while(|line| !line.starts_with(&format!("{host:x}-")));
        let flags = lines.find(|line| line.starts_with("VmFlags")).unwrap();
        assert!(flags.contains(" dd"), "{flags}");
    }
}
