//! The guest's memory: anonymous pages of this process, from guest address 0.

use std::io;
use std::ptr::NonNull;

use crate::layout::MEMORY_SIZE;

/// Zeroed memory, unmapped with its value. The guest changes it while its vCPU runs, so it is only copied in and out.
pub struct Memory {
    start: NonNull<u8>,
}

impl Memory {
    pub fn new() -> io::Result<Memory> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), MEMORY_SIZE, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(start.cast())
            .map(|start| Memory { start })
            .ok_or_else(|| io::Error::other("mapped at 0"))
    }

    /// Where it lies in this process, for KVM.
    pub fn host_address(&self) -> u64 {
        self.start.as_ptr() as u64
    }

    /// # Panics
    /// If it does not fit: addresses are constants of `layout`.
    pub fn write(&mut self, address: u64, bytes: &[u8]) {
        let at = self.checked(address, bytes.len());
        // SAFETY: `at` begins that many bytes inside the mapping, and `bytes` is other memory.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len()) }
    }

    /// # Panics
    /// If it is not inside: callers check what comes from the guest.
    pub fn read(&self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let at = self.checked(address, length);
        // SAFETY: as in `write`, the other way round.
        unsafe { std::ptr::copy_nonoverlapping(at, bytes.as_mut_ptr(), length) }
        bytes
    }

    pub fn write_u64(&mut self, address: u64, value: u64) {
        self.write(address, &value.to_le_bytes());
    }

    pub fn contains(address: u64, length: usize) -> bool {
        address
            .checked_add(length as u64)
            .is_some_and(|end| end <= MEMORY_SIZE as u64)
    }

    fn checked(&self, address: u64, length: usize) -> *mut u8 {
        assert!(
            Memory::contains(address, length),
            "{address:#x}+{length:#x} is outside of the guest's memory"
        );
        // SAFETY: inside the mapping, as has just been checked.
        unsafe { self.start.as_ptr().add(address as usize) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and the VM that used it is dropped before (field order of `Machine`).
        unsafe { libc::munmap(self.start.as_ptr().cast(), MEMORY_SIZE) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back_and_the_rest_is_zero() {
        let mut memory = Memory::new().unwrap();
        memory.write(0x1000, &[1, 2, 3]);
        memory.write_u64(MEMORY_SIZE as u64 - 8, 0x0807_0605_0403_0201);
        assert_eq!(memory.read(0xfff, 5), [0, 1, 2, 3, 0]);
        assert_eq!(
            memory.read(MEMORY_SIZE as u64 - 8, 8),
            [1, 2, 3, 4, 5, 6, 7, 8]
        );
    }

    #[test]
    fn nothing_outside_is_touched() {
        assert!(!Memory::contains(MEMORY_SIZE as u64 - 7, 8));
        assert!(!Memory::contains(u64::MAX, 1));
        let memory = Memory::new().unwrap();
        assert!(std::panic::catch_unwind(|| memory.read(MEMORY_SIZE as u64, 1)).is_err());
    }
}
