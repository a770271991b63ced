//! Where everything lies in the guest's physical memory and I/O ports. A guest's kernel learns it from start_info and ACPI.

use std::iter;
use std::ops::Range;

use wherry_devices::pci::root_complex::MAX_PORTS;

pub const MIB: u64 = 1 << 20;
pub const GIB: u64 = 1 << 30;
pub const PAGE: u64 = 4096;

/// RAM ends here below 4 GiB and goes on at 4 GiB.
pub const HOLE: Range<u64> = 3 * GIB..4 * GIB;

// Below 640 KiB: what the kernel is started with.
pub const START_INFO: u64 = 0x6000;
pub const MODULE_LIST: u64 = 0x6100;
pub const MEMORY_MAP: u64 = 0x7000;
pub const COMMAND_LINE: u64 = 0x2_0000;
/// Longest command line that Linux takes, with its end.
pub const COMMAND_LINE_SIZE: u64 = 2048;
/// Usable RAM ends here; firmware's data would begin.
pub const LOW_RAM_END: u64 = 0x9_fc00;

/// ACPI's tables; a guest looks for its root pointer from 0xe0000 on.
pub const ACPI: Range<u64> = 0xe_0000..0xf_f000;
/// The generation id, with nothing of the guest's near it.
pub const GENERATION_ID: u64 = 0xf_f000;
/// Where a CPU in real mode would find a BIOS.
pub const RESET_VECTOR: u64 = 0xf_fff0;

pub const HIGH_RAM: u64 = MIB;

// In the hole.
/// Windows for 32-bit BARs.
pub const PCI_LOW: Range<u64> = 0xc000_0000..0xe000_0000;
/// Bus 0 and one behind each root port. Linux looks for devices on every bus there may be, by an exit for each of 32 slots.
pub const BUSES: u64 = MAX_PORTS as u64 + 1;
/// Configuration space: 1 MiB a bus.
pub const ECAM: Range<u64> = 0xe000_0000..0xe000_0000 + BUSES * MIB;
pub const IOAPIC: Range<u64> = 0xfec0_0000..0xfec0_1000;
pub const LOCAL_APIC: u64 = 0xfee0_0000;
/// One page, then three, that KVM on Intel needs; away from everything else.
pub const IDENTITY_MAP: u64 = 0xfffb_c000;
pub const TSS: u64 = 0xfffb_d000;

/// Size of the window for 64-bit BARs, which lies behind RAM.
pub const PCI_HIGH_SIZE: u64 = 64 * GIB;

// Ports.
pub const I8042: Range<u64> = 0x60..0x65;
pub const CMOS: Range<u64> = 0x70..0x72;
pub const COM1: Range<u64> = 0x3f8..0x400;
pub const PVPANIC: Range<u64> = 0x505..0x506;
pub const POWER: Range<u64> = 0x600..0x608;

// Pins of the I/O APIC.
pub const COM1_PIN: u8 = 4;
pub const EVENT_PIN: u8 = 9;

/// Where RAM lies, for a guest with this much.
pub fn ram(size: u64) -> Vec<Range<u64>> {
    if size <= HOLE.start {
        return iter::once(0..size).collect();
    }
    let above = size.saturating_sub(HOLE.start);
    vec![0..HOLE.start, HOLE.end..HOLE.end.saturating_add(above)]
}

/// The window for 64-bit BARs: behind RAM, where a later gigabyte could still be plugged before it.
pub fn pci_high(ram_size: u64, address_bits: u8) -> Option<Range<u64>> {
    let ram_end = ram(ram_size).last()?.end.max(HOLE.end);
    let limit = 1u64.checked_shl(u32::from(address_bits))?;
    let start = ram_end.checked_next_multiple_of(GIB)?;
    let room = limit.checked_sub(start)?;
    let end = start.checked_add(room.min(PCI_HIGH_SIZE))?;
    (end > start).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ram_leaves_the_hole_free() {
        assert_eq!(ram(128 * MIB).first(), Some(&(0..128 * MIB)));
        assert_eq!(ram(3 * GIB).len(), 1);
        assert_eq!(ram(3 * GIB + MIB), [0..3 * GIB, 4 * GIB..4 * GIB + MIB]);
    }

    #[test]
    fn nothing_in_the_hole_overlaps() {
        let mut ranges = [
            PCI_LOW,
            ECAM,
            IOAPIC,
            LOCAL_APIC..LOCAL_APIC + PAGE,
            IDENTITY_MAP..TSS,
            TSS..TSS + 3 * PAGE,
        ];
        ranges.sort_by_key(|range| range.start);
        assert!(HOLE.start <= ranges[0].start);
        assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
        assert!(ranges[5].end <= HOLE.end);
    }

    #[test]
    fn high_bars_lie_behind_ram_within_what_the_cpu_reaches() {
        assert_eq!(pci_high(MIB, 40), Some(4 * GIB..68 * GIB));
        assert_eq!(pci_high(8 * GIB + 5, 40), Some(10 * GIB..74 * GIB));
        assert_eq!(pci_high(8 * GIB, 34), Some(9 * GIB..16 * GIB));
        assert_eq!(pci_high(64 * GIB, 36), None);
        assert_eq!(pci_high(GIB, 32), None);
    }
}
