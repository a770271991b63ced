//! Where everything lies in the guest's memory, and the tables that the processor reads there.

/// Guest memory in bytes, from address 0.
pub const MEMORY_SIZE: usize = 4 << 20;

const PML4: u64 = 0x1000;
const PDPT: u64 = 0x2000;
const PD_LOW: u64 = 0x3000;
const PD_REMAP: u64 = 0xa000;
const PD_HIGH: u64 = 0xb000;
pub const GDT: u64 = 0x4000;
pub const IDT: u64 = 0x5000;
pub const TSS: u64 = 0x6000;
/// Stack of a program; it grows down.
pub const STACK_TOP: u64 = 0x7800;
/// Stack for exceptions from CPL 3 (TSS.RSP0).
const EXCEPTION_STACK_TOP: u64 = 0x8000;
// 0x9000 is the top of the CPL 3 stack (`enter_user` in guest/shared.s).
/// The page table of `REMAPPED`; its first entry is the one that the remap check rewrites.
pub const REMAP_PT: u64 = 0xc000;
pub const REMAP_PAGES: [u64; 2] = [0xd000, 0xe000];
pub const CODE: u64 = 0x1_0000;
/// Bytes that are kept free for it.
#[cfg(test)]
pub const CODE_SIZE: u64 = 0x1_0000;
pub const SCRATCH: u64 = 0x2_0000;
pub const MSR_LIST: u64 = 0x3_0000;
/// Pages for the dirty log, with nothing else in them.
pub const DIRTY_AREA: u64 = 0x10_0000;
/// 2 MiB that only CPL 0 may touch.
pub const KERNEL_ONLY: u64 = 0x20_0000;
/// An address that is mapped to one of `REMAP_PAGES`.
pub const REMAPPED: u64 = 0x4000_0000;
/// Mapped, but no memory.
pub const MMIO: u64 = 0xd000_0000;
pub const LOCAL_APIC: u64 = 0xfee0_0000;

const PRESENT: u64 = 1;
const WRITABLE: u64 = 2;
const USER: u64 = 4;
const LARGE: u64 = 0x80;
/// A page or table that CPL 3 may use too.
pub const SHARED: u64 = PRESENT | WRITABLE | USER;

pub const KERNEL_CODE: u16 = 0x08;
pub const KERNEL_DATA: u16 = 0x10;
pub const TASK: u16 = 0x30;
pub const GDT_LIMIT: u16 = 8 * 8 - 1;
pub const IDT_LIMIT: u16 = 256 * 16 - 1;
pub const TSS_LIMIT: u16 = 0x67;

/// The page tables as (address, entry): memory is mapped one to one.
pub fn page_tables() -> Vec<(u64, u64)> {
    let mut entries = vec![
        (PML4, PDPT | SHARED),
        (PDPT, PD_LOW | SHARED),
        (PDPT + 8, PD_REMAP | SHARED),
        (PDPT + 3 * 8, PD_HIGH | SHARED),
        (PD_LOW, SHARED | LARGE),
        (PD_LOW + 8, KERNEL_ONLY | PRESENT | WRITABLE | LARGE),
        (PD_REMAP, REMAP_PT | SHARED),
    ];
    for address in [MMIO, LOCAL_APIC] {
        entries.push((
            PD_HIGH + (address >> 21 & 511) * 8,
            (address & !0x1f_ffff) | SHARED | LARGE,
        ));
    }
    entries
}

/// CR3.
pub const fn page_table_root() -> u64 {
    PML4
}

/// Null, the four segments in the order that SYSCALL and SYSRET expect, and the task state segment in two entries.
pub fn gdt() -> [u64; 8] {
    let task_low = u64::from(TSS_LIMIT) | TSS << 16 | 0x89 << 40;
    [
        0,
        0x00af_9b00_0000_ffff,
        0x00cf_9300_0000_ffff,
        0x00cf_fb00_0000_ffff,
        0x00cf_f300_0000_ffff,
        0x00af_fb00_0000_ffff,
        task_low,
        TSS >> 32,
    ]
}

/// The task state segment holds one thing: the stack for exceptions from CPL 3.
pub fn task_state() -> [u8; 0x68] {
    let mut bytes = [0; 0x68];
    bytes[4..12].copy_from_slice(&EXCEPTION_STACK_TOP.to_le_bytes());
    bytes
}

/// An interrupt gate to `handler`; CPL 3 may raise vector 3 (int3) itself.
pub fn gate(vector: u8, handler: u64) -> [u8; 16] {
    let kind: u64 = if vector == 3 { 0xee } else { 0x8e };
    let low = handler & 0xffff
        | u64::from(KERNEL_CODE) << 16
        | kind << 40
        | (handler >> 16 & 0xffff) << 48;
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&low.to_le_bytes());
    bytes[8..].copy_from_slice(&(handler >> 32).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Walks the tables as a processor does.
    fn translate(address: u64) -> Option<(u64, bool)> {
        let entries: HashMap<u64, u64> = page_tables().into_iter().collect();
        let mut table = page_table_root();
        for shift in [39, 30, 21, 12] {
            let entry = *entries.get(&(table + (address >> shift & 511) * 8))?;
            if entry & LARGE != 0 {
                return Some((
                    (entry & !0x1f_ffff) + (address & 0x1f_ffff),
                    entry & USER != 0,
                ));
            }
            table = entry & !0xfff;
        }
        Some((table, true))
    }

    #[test]
    fn memory_and_devices_are_mapped_one_to_one() {
        for address in [
            0,
            CODE,
            SCRATCH,
            DIRTY_AREA,
            MMIO,
            MMIO + 0x100,
            LOCAL_APIC,
            LOCAL_APIC + 0x380,
        ] {
            assert_eq!(translate(address), Some((address, true)), "{address:#x}");
        }
    }

    #[test]
    fn one_area_is_for_cpl_0_alone_and_one_is_left_to_the_remap_check() {
        assert_eq!(
            translate(KERNEL_ONLY + 0x1000),
            Some((KERNEL_ONLY + 0x1000, false))
        );
        assert_eq!(translate(REMAPPED), None);
        assert_eq!(translate(0x8000_0000), None);
    }

    #[test]
    fn a_gate_holds_its_handler_in_three_pieces() {
        let bytes = gate(3, 0x1234_5678_9abc_def0);
        assert_eq!(
            bytes,
            [
                0xf0, 0xde, 0x08, 0, 0, 0xee, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0
            ]
        );
        assert_eq!(gate(14, 0)[5], 0x8e);
    }

    #[test]
    fn the_task_descriptor_points_at_the_task_state() {
        let [low, high] = [gdt()[6], gdt()[7]];
        assert_eq!(
            (low >> 16 & 0xff_ffff) | (low >> 56) << 24 | high << 32,
            TSS
        );
        assert_eq!(low & 0xffff, 0x67);
    }
}
