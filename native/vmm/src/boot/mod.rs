//! Direct boot of a Linux kernel by the PVH protocol. A kernel's file is as untrusted as its guest: it is read by offset, unpacked
//! within limits, and written nowhere but into the guest's own memory.

mod bzimage;
mod elf;
mod payload;
mod pvh;
pub mod reset_vector;
#[cfg(test)]
mod testing;

use std::fs::File;

pub use pvh::Boot;
use wherry_devices::memory::Ram;

use crate::error::{Fault, Result};

/// Loads the kernel, an ELF file or a bzImage with one in it, and returns the address of its PVH entry and the first address
/// behind it.
fn load_kernel(file: &File, ram: &Ram) -> Result<elf::Loaded> {
    if elf::is_elf(file) {
        return elf::load(&mut payload::plain(file), ram);
    }
    let Some(packed) = bzimage::payload(file)? else {
        return Err(Fault::new(
            "the kernel is neither an ELF file nor a bzImage of boot protocol 2.08 or later",
        ));
    };
    elf::load(&mut payload::unpack(file, packed)?, ram)
}
