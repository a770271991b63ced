//! A kernel's file: whatever it is, loading it ends, within the guest's memory and without much of ours.

use std::io::Write;

use vm_memory::GuestAddress;
use wherry_devices::memory::Ram;
use wherry_vmm::boot::Boot;

use super::seams::file;

const MEMORY: u64 = 32 << 20;

pub fn run(bytes: &[u8]) {
    let mut kernel = file(0);
    kernel.write_all(bytes).expect("room");
    let ram = Ram::from_ranges(&[(GuestAddress(0), MEMORY as usize)]).expect("memory");
    let boot = Boot {
        kernel,
        initrd: None,
        command_line: "console=ttyS0".into(),
    };
    if let Ok(entry) = boot.load(&ram, 0xe_0000) {
        // Where it starts is the kernel's own affair, but it does so in 32 bits.
        assert!(u32::try_from(entry).is_ok(), "{entry:#x}");
    }
}
