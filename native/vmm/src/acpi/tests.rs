use vm_memory::Bytes;

use super::*;
use crate::layout::MIB;
use crate::memory::Memory;

fn board(cpus: u8) -> Board {
    Board {
        cpus,
        pci_high: layout::pci_high(128 * MIB, 40),
    }
}

fn read(ram: &Ram, address: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ram.read_slice(&mut bytes, GuestAddress(address)).unwrap();
    bytes
}

fn table(ram: &Ram, address: u64) -> Vec<u8> {
    let length = ram.read_obj::<u32>(GuestAddress(address + 4)).unwrap();
    read(ram, address, length as usize)
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Every table that the root pointer leads to, by signature.
fn tables(cpus: u8) -> Vec<(String, Vec<u8>)> {
    let memory = Memory::new(4 * MIB).unwrap();
    let ram = memory.ram();
    let root = write(ram, &board(cpus)).unwrap();
    let rsdp = read(ram, root, 36);
    assert_eq!(&rsdp[..8], b"RSD PTR ");
    assert_eq!([sum(&rsdp[..20]), sum(&rsdp)], [0, 0]);
    let xsdt = table(ram, word(&rsdp, 24));
    let mut found: Vec<_> = xsdt[36..]
        .chunks(8)
        .map(|address| table(ram, word(address, 0)))
        .collect();
    let fadt = found.iter().find(|it| it.starts_with(b"FACP")).unwrap();
    found.push(table(ram, word(fadt, 140)));
    found.push(xsdt);
    let name = |table: &[u8]| String::from_utf8(table[..4].to_vec()).unwrap();
    found.into_iter().map(|it| (name(&it), it)).collect()
}

#[test]
fn every_table_is_found_and_sums_to_zero() {
    let tables = tables(2);
    let names: Vec<_> = tables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["FACP", "APIC", "MCFG", "DSDT", "XSDT"]);
    for (name, table) in tables {
        assert_eq!(sum(&table), 0, "{name}");
    }
}

#[test]
fn every_cpu_is_in_the_madt() {
    for cpus in [1, 2, 254] {
        let tables = tables(cpus);
        let (_, madt) = &tables[1];
        let mut entries = &madt[44..];
        let mut local = Vec::new();
        while let [kind, length, ..] = *entries {
            if kind == 0 {
                assert_eq!(entries[4], 1);
                local.push(entries[3]);
            }
            entries = &entries[usize::from(length)..];
        }
        assert_eq!(local, (0..cpus).collect::<Vec<_>>());
    }
}

#[test]
fn each_root_port_has_a_bus_and_no_other_is_looked_for() {
    let tables = tables(1);
    let (_, mcfg) = &tables[2];
    assert_eq!(word(mcfg, 44), layout::ECAM.start);
    assert_eq!(mcfg[54..56], [0, 31]);
    assert_eq!(layout::ECAM.end - layout::ECAM.start, 32 * MIB);
}

#[test]
fn the_board_is_hardware_reduced_and_can_be_reset() {
    let tables = tables(1);
    let (_, fadt) = &tables[0];
    assert_eq!(fadt.len(), 276);
    let flags = u32::from_le_bytes(fadt[112..116].try_into().unwrap());
    assert_ne!(flags & 1 << 20, 0);
    assert_ne!(flags & 1 << 10, 0);
    assert_eq!(word(fadt, 120), layout::POWER.start + 2);
    assert_eq!(word(fadt, 248), layout::POWER.start);
}

#[test]
fn the_dsdt_names_what_is_on_the_board() {
    let tables = tables(1);
    let (_, dsdt) = &tables[3];
    for name in [
        "PCI0", "_OSC", "COM1", "PWRB", "ACPI0013", "VMGENCTR", "QEMU0001", "_S5_",
    ] {
        let found = dsdt.windows(name.len()).any(|it| it == name.as_bytes());
        assert!(found, "{name}");
    }
}
