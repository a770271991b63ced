//! The ACPI tables, from which a guest's kernel learns its board: hardware-reduced, so there are no legacy timers or ports.

mod dsdt;
mod tables;

use std::ops::Range;

use vm_memory::{Bytes, GuestAddress};
use wherry_devices::memory::Ram;

use crate::error::{Fault, OrFault, Result};
use crate::layout;

/// What differs between boards.
#[derive(Clone, Debug)]
pub struct Board {
    pub cpus: u8,
    /// The window for 64-bit BARs.
    pub pci_high: Option<Range<u64>>,
}

/// Writes the tables into RAM and returns the address of their root pointer.
pub fn write(ram: &Ram, board: &Board) -> Result<u64> {
    let mut at = layout::ACPI.start;
    let root = at;
    // Room for the root pointer, which is written when everything else has its place.
    at = next(at, &[0; tables::RSDP_SIZE])?;
    let mut put = |table: &[u8]| -> Result<u64> {
        let address = at;
        at = next(at, table)?;
        ram.write_slice(table, GuestAddress(address))
            .or_fault("writing ACPI tables")?;
        Ok(address)
    };
    let dsdt = put(&dsdt::dsdt(board))?;
    let entries = [
        put(&tables::fadt(dsdt))?,
        put(&tables::madt(board.cpus))?,
        put(&tables::mcfg())?,
    ];
    let xsdt = put(&tables::xsdt(&entries))?;
    ram.write_slice(&tables::rsdp(xsdt), GuestAddress(root))
        .or_fault("writing ACPI tables")?;
    Ok(root)
}

fn next(at: u64, table: &[u8]) -> Result<u64> {
    at.checked_add(table.len() as u64)
        .and_then(|end| end.checked_next_multiple_of(16))
        .filter(|end| *end <= layout::ACPI.end)
        .ok_or_else(|| Fault::new("the ACPI tables have outgrown their place"))
}

#[cfg(test)]
mod tests;
