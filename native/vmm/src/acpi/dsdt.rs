//! The DSDT: what is on the board besides CPUs and memory, as the program that a guest's ACPI interpreter runs.

use acpi_tables::aml::{
    AddressSpace, AddressSpaceCacheable, And, Arg, CreateDWordField, Device, EISAName, Else, Equal,
    Field, FieldAccessType, FieldEntry, FieldLockRule, FieldUpdateRule, IO, If, Interrupt, Local,
    Memory32Fixed, Method, Name, Notify, OpRegion, OpRegionSpace, Or, Package, Path,
    ResourceTemplate, Return, Scope, Store, Uuid,
};
use acpi_tables::{Aml, aml};
use std::ops::Range;
use wherry_devices::power;

use super::{Board, tables};
use crate::layout;

/// Notifications of the devices below.
const BUTTON_PRESSED: u8 = 0x80;
const GENERATION_CHANGED: u8 = 0x80;
/// The second bit of the event register, beside the power button's.
pub const EVENT_GENERATION: u8 = 2;

pub fn dsdt(board: &Board) -> Vec<u8> {
    let mut dsdt = tables::table(*b"DSDT", 36, 2);
    for object in [
        pci_host(board),
        ecam(),
        serial_port(),
        clock(),
        panic_port(),
        power_button(),
        generation_id(),
        events(),
    ] {
        dsdt.append_slice(&object);
    }
    // All four elements: some systems take no shorter package.
    let sleep = power::SLEEP_TYPE_OFF;
    let s5 = Package::new(vec![&sleep, &aml::ZERO, &aml::ZERO, &aml::ZERO]);
    dsdt.append_slice(&bytes(&Name::new("_S5_".into(), &s5)));
    tables::finish(dsdt)
}

fn bytes(object: &dyn Aml) -> Vec<u8> {
    let mut bytes = Vec::new();
    object.to_aml_bytes(&mut bytes);
    bytes
}

fn on_board(name: &str, children: Vec<&dyn Aml>) -> Vec<u8> {
    let device = Device::new(name.into(), children);
    bytes(&Scope::new("\\_SB_".into(), vec![&device]))
}

fn port(range: Range<u64>) -> IO {
    let start = range.start as u16;
    let length = range.end.saturating_sub(range.start) as u8;
    IO::new(start, start, 0, length)
}

fn edge(pin: u8) -> Interrupt {
    Interrupt::new(true, true, false, false, u32::from(pin))
}

fn pci_host(board: &Board) -> Vec<u8> {
    let buses = AddressSpace::new_bus_number(0u16, (layout::BUSES - 1) as u16);
    let low = AddressSpace::new_memory(
        AddressSpaceCacheable::NotCacheable,
        true,
        layout::PCI_LOW.start as u32,
        (layout::PCI_LOW.end - 1) as u32,
        None,
    );
    let high = board.pci_high.clone().map(|window| {
        AddressSpace::new_memory(
            AddressSpaceCacheable::NotCacheable,
            true,
            window.start,
            window.end.saturating_sub(1),
            None,
        )
    });
    let mut resources: Vec<&dyn Aml> = vec![&buses, &low];
    resources.extend(high.as_ref().map(|window| window as &dyn Aml));
    on_board(
        "PCI0",
        vec![
            &Name::new("_HID".into(), &EISAName::new("PNP0A08")),
            &Name::new("_CID".into(), &EISAName::new("PNP0A03")),
            &Name::new("_UID".into(), &aml::ZERO),
            &Name::new("_SEG".into(), &aml::ZERO),
            &Name::new("_BBN".into(), &aml::ZERO),
            // What devices do by DMA is coherent.
            &Name::new("_CCA".into(), &aml::ONE),
            &Name::new("_CRS".into(), &ResourceTemplate::new(resources)),
            &negotiation(),
        ],
    )
}

/// `_OSC`: of what the system asks to control it gets hotplug and PCI Express's own structures (PCI Firmware 3.3, 4.5.1).
fn negotiation() -> RawAml {
    const GRANTED: u8 = 1 << 0 | 1 << 4;
    const UNKNOWN_UUID: u8 = 1 << 2;
    let control = Path::new("CDW3");
    let status = Path::new("CDW1");
    let uuid = Uuid::new("33DB4D5B-1FF7-401C-9657-7441C03DD766");
    RawAml(bytes(&Method::new(
        "_OSC".into(),
        4,
        false,
        vec![
            &CreateDWordField::new(&status, &Arg(3), &aml::ZERO),
            &If::new(
                &Equal::new(&Arg(0), &uuid),
                vec![
                    &CreateDWordField::new(&control, &Arg(3), &8u8),
                    &And::new(&control, &control, &GRANTED),
                ],
            ),
            &Else::new(vec![&Or::new(&status, &status, &UNKNOWN_UUID)]),
            &Return::new(&Arg(3)),
        ],
    )))
}

/// Bytes that are AML already.
struct RawAml(Vec<u8>);

impl Aml for RawAml {
    fn to_aml_bytes(&self, sink: &mut dyn acpi_tables::AmlSink) {
        sink.vec(&self.0);
    }
}

/// Linux uses a configuration space only where a device of the board claims it.
fn ecam() -> Vec<u8> {
    let size = layout::ECAM.end - layout::ECAM.start;
    on_board(
        "MRES",
        vec![
            &Name::new("_HID".into(), &EISAName::new("PNP0C02")),
            &Name::new(
                "_CRS".into(),
                &ResourceTemplate::new(vec![&Memory32Fixed::new(
                    true,
                    layout::ECAM.start as u32,
                    size as u32,
                )]),
            ),
        ],
    )
}

fn serial_port() -> Vec<u8> {
    on_board(
        "COM1",
        vec![
            &Name::new("_HID".into(), &EISAName::new("PNP0501")),
            &Name::new("_UID".into(), &aml::ONE),
            &Name::new(
                "_CRS".into(),
                &ResourceTemplate::new(vec![&edge(layout::COM1_PIN), &port(layout::COM1)]),
            ),
        ],
    )
}

fn clock() -> Vec<u8> {
    on_board(
        "RTC_",
        vec![
            &Name::new("_HID".into(), &EISAName::new("PNP0B00")),
            &Name::new(
                "_CRS".into(),
                &ResourceTemplate::new(vec![&port(layout::CMOS)]),
            ),
        ],
    )
}

fn panic_port() -> Vec<u8> {
    on_board(
        "PEVT",
        vec![
            &Name::new("_HID".into(), &"QEMU0001"),
            &Name::new(
                "_CRS".into(),
                &ResourceTemplate::new(vec![&port(layout::PVPANIC)]),
            ),
        ],
    )
}

fn power_button() -> Vec<u8> {
    on_board(
        "PWRB",
        vec![&Name::new("_HID".into(), &EISAName::new("PNP0C0C"))],
    )
}

/// Where the guest finds the id that changes when it has become another machine (Microsoft's Virtual Machine Generation ID).
fn generation_id() -> Vec<u8> {
    let low = layout::GENERATION_ID as u32;
    on_board(
        "VGEN",
        vec![
            &Name::new("_HID".into(), &"VMGENCTR"),
            &Name::new("_CID".into(), &"VM_Gen_Counter"),
            &Name::new("_DDN".into(), &"VM_Gen_Counter"),
            &Name::new("ADDR".into(), &Package::new(vec![&low, &aml::ZERO])),
        ],
    )
}

/// The Generic Event Device: one interrupt, and a register that says what has happened.
fn events() -> Vec<u8> {
    let button = Path::new("\\_SB_.PWRB");
    let generation = Path::new("\\_SB_.VGEN");
    let register = (layout::POWER.start as u16).saturating_add(power::EVENTS as u16);
    let when = |bit: u8, then: Vec<u8>| {
        let happened = And::new(&aml::ZERO, &Local(0), &bit);
        RawAml(bytes(&If::new(
            &Equal::new(&happened, &bit),
            vec![&RawAml(then)],
        )))
    };
    on_board(
        "GED_",
        vec![
            &Name::new("_HID".into(), &"ACPI0013"),
            &Name::new("_UID".into(), &aml::ZERO),
            &Name::new(
                "_CRS".into(),
                &ResourceTemplate::new(vec![&edge(layout::EVENT_PIN)]),
            ),
            &OpRegion::new("EREG".into(), OpRegionSpace::SystemIO, &register, &aml::ONE),
            &Field::new(
                "EREG".into(),
                FieldAccessType::Byte,
                FieldLockRule::NoLock,
                FieldUpdateRule::WriteAsZeroes,
                vec![FieldEntry::Named(*b"ESTA", 8)],
            ),
            &Method::new(
                "_EVT".into(),
                1,
                true,
                vec![
                    // Reading clears it.
                    &Store::new(&Local(0), &Path::new("ESTA")),
                    &when(
                        power::EVENT_POWER_BUTTON,
                        bytes(&Notify::new(&button, &BUTTON_PRESSED)),
                    ),
                    &when(
                        EVENT_GENERATION,
                        bytes(&Notify::new(&generation, &GENERATION_CHANGED)),
                    ),
                ],
            ),
        ],
    )
}
