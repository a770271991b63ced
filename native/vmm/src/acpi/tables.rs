//! The tables that are no program (ACPI 6.5, chapter 5).

use acpi_tables::Aml;
use acpi_tables::sdt::{GenericAddress, Sdt};
use wherry_devices::{ioapic, power};

use crate::layout;

const OEM: [u8; 6] = *b"WHERRY";
const OEM_TABLE: [u8; 8] = *b"WHERRYVM";
const HEADER: u32 = 36;
pub const RSDP_SIZE: usize = 36;

pub fn table(signature: [u8; 4], length: u32, revision: u8) -> Sdt {
    Sdt::new(signature, length, revision, OEM, OEM_TABLE, 1)
}

pub fn rsdp(xsdt: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    acpi_tables::rsdp::Rsdp::new(OEM, xsdt).to_aml_bytes(&mut bytes);
    bytes
}

pub fn xsdt(tables: &[u64]) -> Vec<u8> {
    let mut xsdt = table(*b"XSDT", HEADER, 1);
    tables.iter().for_each(|address| xsdt.append(*address));
    finish(xsdt)
}

pub fn fadt(dsdt: u64) -> Vec<u8> {
    const LENGTH: u32 = 276;
    const BOOT_FLAGS: usize = 109;
    const FLAGS: usize = 112;
    const RESET_REGISTER: usize = 116;
    const RESET_VALUE: usize = 128;
    const MINOR: usize = 131;
    const X_DSDT: usize = 140;
    const SLEEP_CONTROL: usize = 244;
    const SLEEP_STATUS: usize = 256;
    const HYPERVISOR: usize = 268;
    /// There is no VGA to be looked for; nor, by its absence, a keyboard controller.
    const NO_VGA: u16 = 1 << 2;
    const WBINVD: u32 = 1 << 0;
    /// Buttons are devices, not bits of a register that this board has not.
    const NO_FIXED_BUTTONS: u32 = 1 << 4 | 1 << 5;
    const RESET_SUPPORTED: u32 = 1 << 10;
    const HARDWARE_REDUCED: u32 = 1 << 20;

    let port = |offset: u64| {
        let address = layout::POWER.start.saturating_add(offset);
        GenericAddress::io_port_address::<u8>(address as u16)
    };
    let mut fadt = table(*b"FACP", LENGTH, 6);
    fadt.write(BOOT_FLAGS, NO_VGA);
    fadt.write(
        FLAGS,
        WBINVD | NO_FIXED_BUTTONS | RESET_SUPPORTED | HARDWARE_REDUCED,
    );
    fadt.write(RESET_REGISTER, port(power::RESET));
    fadt.write(RESET_VALUE, power::RESET_VALUE);
    fadt.write(MINOR, 5u8);
    fadt.write(X_DSDT, dsdt);
    fadt.write(SLEEP_CONTROL, port(power::SLEEP_CONTROL));
    fadt.write(SLEEP_STATUS, port(power::SLEEP_STATUS));
    fadt.write(HYPERVISOR, *b"WHERRY\0\0");
    finish(fadt)
}

pub fn madt(cpus: u8) -> Vec<u8> {
    const LOCAL_APIC: u8 = 0;
    const IO_APIC: u8 = 1;
    const LOCAL_APIC_NMI: u8 = 4;
    const ENABLED: u32 = 1;
    const ALL_CPUS: u8 = 0xff;
    const LINT1: u8 = 1;

    let mut madt = table(*b"APIC", HEADER, 6);
    madt.append(layout::LOCAL_APIC as u32);
    // No 8259 beside the I/O APIC.
    madt.append(0u32);
    for cpu in 0..cpus {
        madt.append_slice(&[LOCAL_APIC, 8, cpu, cpu]);
        madt.append(ENABLED);
    }
    madt.append_slice(&[IO_APIC, 12, 0, 0]);
    madt.append(layout::IOAPIC.start as u32);
    madt.append(0u32);
    madt.append_slice(&[LOCAL_APIC_NMI, 6, ALL_CPUS, 0, 0, LINT1]);
    const { assert!(ioapic::PINS == 24) };
    finish(madt)
}

pub fn mcfg() -> Vec<u8> {
    let mut mcfg = table(*b"MCFG", HEADER, 1);
    mcfg.append(0u64);
    mcfg.append(layout::ECAM.start);
    // Segment 0, from bus 0 to the last.
    mcfg.append(0u16);
    mcfg.append_slice(&[0, (layout::BUSES - 1) as u8]);
    mcfg.append(0u32);
    finish(mcfg)
}

pub fn finish(mut table: Sdt) -> Vec<u8> {
    table.update_checksum();
    table.as_slice().to_vec()
}
