//! The PVH boot protocol (Xen's docs/misc/pvh.pandoc; Linux: include/xen/interface/hvm/start_info.h): what the kernel finds in
//! memory and in its first CPU's registers.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use vm_memory::{Address, Bytes, GuestAddress, GuestMemoryBackend};
use wherry_devices::memory::Ram;

use super::load_kernel;
use crate::error::{Fault, OrFault, Result};
use crate::layout::{self, PAGE};

const MAGIC: u32 = 0x336e_c578;
const RAM: u32 = 1;
const RESERVED: u32 = 2;
const CHUNK: usize = 64 << 10;

/// What a guest boots from, as open files: it boots from them again when it resets.
pub struct Boot {
    pub kernel: File,
    pub initrd: Option<File>,
    pub command_line: String,
}

impl Boot {
    /// Writes everything into RAM, which holds zeros, and returns the entry's address. `acpi` is the address of the root pointer.
    pub fn load(&self, ram: &Ram, acpi: u64) -> Result<u64> {
        let kernel = load_kernel(&self.kernel, ram)?;
        let initrd = match &self.initrd {
            Some(file) => Some(load_initrd(file, ram, kernel.end)?),
            None => None,
        };
        self.write_command_line(ram)?;
        write_start_info(ram, initrd, acpi).or_fault("writing what the kernel starts with")?;
        Ok(kernel.entry)
    }

    fn write_command_line(&self, ram: &Ram) -> Result<()> {
        let mut text = self.command_line.clone().into_bytes();
        text.push(0);
        if text.len() as u64 > layout::COMMAND_LINE_SIZE {
            return Err(Fault::new(format!(
                "the kernel's command line is longer than {} bytes",
                layout::COMMAND_LINE_SIZE.saturating_sub(1)
            )));
        }
        ram.write_slice(&text, GuestAddress(layout::COMMAND_LINE))
            .or_fault("writing the command line")
    }
}

/// As high as possible below the hole, away from where the kernel unpacks and moves itself to.
fn load_initrd(file: &File, ram: &Ram, behind: u64) -> Result<(u64, u64)> {
    let size = file.metadata().or_fault("reading the initrd")?.len();
    let low_end = ram.find_region(GuestAddress(0)).map_or(0, region_end);
    let address = low_end
        .checked_sub(size)
        .map(|start| start & !(PAGE.saturating_sub(1)))
        .filter(|start| *start >= behind)
        .or_fault("kernel and initrd do not fit into the guest's memory")?;
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    while done < size {
        let wanted = usize::try_from(size.saturating_sub(done))
            .unwrap_or(CHUNK)
            .min(CHUNK);
        let chunk = buffer.get_mut(..wanted).unwrap_or_default();
        let length = file.read_at(chunk, done).or_fault("reading the initrd")?;
        if length == 0 {
            return Err(Fault::new("the initrd has become shorter"));
        }
        let at = GuestAddress(address.saturating_add(done));
        ram.write_slice(chunk.get(..length).unwrap_or_default(), at)
            .or_fault("loading the initrd")?;
        done = done.saturating_add(length as u64);
    }
    Ok((address, size))
}

fn region_end(region: &impl vm_memory::GuestMemoryRegion) -> u64 {
    region.last_addr().raw_value().saturating_add(1)
}

fn write_start_info(ram: &Ram, initrd: Option<(u64, u64)>, acpi: u64) -> io::Result<()> {
    let map = memory_map(ram);
    let mut info = Vec::new();
    let modules = u32::from(initrd.is_some());
    for word in [MAGIC, 1, 0, modules] {
        info.extend(word.to_le_bytes());
    }
    let list = initrd.map_or(0, |_| layout::MODULE_LIST);
    for address in [list, layout::COMMAND_LINE, acpi, layout::MEMORY_MAP] {
        info.extend(address.to_le_bytes());
    }
    let entries = u32::try_from(map.len()).unwrap_or(0);
    info.extend(entries.to_le_bytes());
    info.extend(0u32.to_le_bytes());
    write(ram, &info, layout::START_INFO)?;
    if let Some((address, size)) = initrd {
        let module: Vec<u8> = [address, size, 0, 0]
            .into_iter()
            .flat_map(u64::to_le_bytes)
            .collect();
        write(ram, &module, layout::MODULE_LIST)?;
    }
    let mut raw = Vec::new();
    for (address, size, kind) in map {
        raw.extend(address.to_le_bytes());
        raw.extend(size.to_le_bytes());
        raw.extend(kind.to_le_bytes());
        raw.extend(0u32.to_le_bytes());
    }
    write(ram, &raw, layout::MEMORY_MAP)
}

fn write(ram: &Ram, bytes: &[u8], address: u64) -> io::Result<()> {
    ram.write_slice(bytes, GuestAddress(address))
        .map_err(io::Error::other)
}

/// Address, size, kind.
fn memory_map(ram: &Ram) -> Vec<(u64, u64, u32)> {
    use vm_memory::GuestMemoryRegion;
    let length = |start: u64, end: u64| end.saturating_sub(start);
    let mut map = vec![
        (0, layout::LOW_RAM_END, RAM),
        (
            layout::ACPI.start,
            length(layout::ACPI.start, layout::HIGH_RAM),
            RESERVED,
        ),
    ];
    for region in ram.iter() {
        let start = region.start_addr().raw_value().max(layout::HIGH_RAM);
        map.push((start, length(start, region_end(region)), RAM));
    }
    // So that Linux believes MCFG.
    let ecam = layout::ECAM;
    map.push((ecam.start, length(ecam.start, ecam.end), RESERVED));
    map.sort_by_key(|(start, ..)| *start);
    map
}

#[cfg(test)]
mod tests;
