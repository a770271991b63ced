//! What snapshots and migration rest on: the dirty log, the MSRs, saving and restoring.

use kvm_bindings::{Msrs, kvm_irqchip, kvm_msr_entry};
use kvm_ioctls::Kvm;

use crate::checks::{MachineCheck, Outcome};
use crate::failure::{Failure, attempt};
use crate::image::Program;
use crate::layout;
use crate::machine::{Machine, Start};

pub const STATE_CHECKS: &[MachineCheck] = &[
    MachineCheck {
        name: "dirty-log",
        run: dirty_log,
    },
    MachineCheck {
        name: "msrs",
        run: msrs,
    },
    MachineCheck {
        name: "save-restore",
        run: save_restore,
    },
];

/// The guest writes every third page of an area: the log must name these, all of them and no other.
fn dirty_log(_: &Kvm, machine: &mut Machine) -> Outcome {
    const PAGE: u64 = 4096;
    const PAGES: u64 = 80;
    const DISTANCE: u64 = 3;
    let start = Start::new(Program::WritePages).with(|registers| {
        registers.r8 = layout::DIRTY_AREA;
        registers.r9 = PAGES;
        registers.r10 = DISTANCE * PAGE;
    });
    machine.log_dirty_pages(true)?;
    machine.run(&start)?;
    let log = attempt("KVM_GET_DIRTY_LOG", || {
        machine.vm.get_dirty_log(0, layout::MEMORY_SIZE)
    })?;
    machine.log_dirty_pages(false)?;
    let first = layout::DIRTY_AREA / PAGE;
    let area = first..first + PAGES * DISTANCE;
    let wrong: Vec<u64> = area
        .filter(|page| {
            let logged = log
                .get(*page as usize / 64)
                .is_some_and(|word| word >> (page % 64) & 1 == 1);
            logged != (page - first).is_multiple_of(DISTANCE)
        })
        .collect();
    if !wrong.is_empty() {
        return Err(Failure(format!(
            "{} of {} pages are logged wrongly",
            wrong.len(),
            PAGES * DISTANCE
        )));
    }
    Ok(format!("{PAGES} pages"))
}

/// What every VMM sets before a boot must be settable; how many of KVM's list read and write back is told, not judged.
fn msrs(kvm: &Kvm, machine: &mut Machine) -> Outcome {
    const BOOT: [(u32, u64); 11] = [
        (0x174, 0),
        (0x175, 0),
        (0x176, 0),
        (0xc000_0081, 0),
        (0xc000_0083, 0),
        (0xc000_0102, 0),
        (0xc000_0084, 0),
        (0xc000_0082, 0),
        (0x10, 0),
        (0x1a0, 1),
        (0x2ff, 0x806),
    ];
    for (index, data) in BOOT {
        if !set_msr(
            machine,
            kvm_msr_entry {
                index,
                data,
                ..Default::default()
            },
        )? {
            return Err(Failure(format!("MSR {index:#x} cannot be set")));
        }
    }
    let list = attempt("KVM_GET_MSR_INDEX_LIST", || kvm.get_msr_index_list())?;
    let mut good = 0;
    for index in list.as_slice() {
        if let Some(entry) = get_msr(machine, *index)?
            && set_msr(machine, entry)?
        {
            good += 1;
        }
    }
    Ok(format!(
        "{good} of {} read and write back",
        list.as_slice().len()
    ))
}

fn one_msr(entry: kvm_msr_entry) -> Result<Msrs, Failure> {
    Msrs::from_entries(&[entry]).map_err(|error| Failure(format!("{error:?}")))
}

fn set_msr(machine: &Machine, entry: kvm_msr_entry) -> Result<bool, Failure> {
    let entries = one_msr(entry)?;
    Ok(attempt("KVM_SET_MSRS", || machine.vcpu.set_msrs(&entries))? == 1)
}

fn get_msr(machine: &Machine, index: u32) -> Result<Option<kvm_msr_entry>, Failure> {
    let mut entries = one_msr(kvm_msr_entry {
        index,
        ..Default::default()
    })?;
    let read = attempt("KVM_GET_MSRS", || machine.vcpu.get_msrs(&mut entries))?;
    Ok((read == 1)
        .then(|| entries.as_slice().first().copied())
        .flatten())
}

/// A program is paused half-way, everything about it is carried to another VM, and it comes to the right end there.
fn save_restore(kvm: &Kvm, machine: &mut Machine) -> Outcome {
    machine.prepare(&Start::new(Program::Count))?;
    machine.resume_to_pause()?;
    let mut other = Machine::new(kvm)?;
    carry_vcpu(machine, &other)?;
    carry_chips(machine, &other)?;
    let all = machine.memory.read(0, layout::MEMORY_SIZE);
    other.memory.write(0, &all);
    other.resume()?;
    Ok(String::new())
}

/// MP_STATE before and events after everything else, local APIC after the special registers, MSRs after the local APIC.
fn carry_vcpu(from: &Machine, to: &Machine) -> Result<(), Failure> {
    let (from, to) = (&from.vcpu, &to.vcpu);
    let mp_state = attempt("KVM_GET_MP_STATE", || from.get_mp_state())?;
    attempt("KVM_SET_MP_STATE", || to.set_mp_state(mp_state))?;
    let registers = attempt("KVM_GET_REGS", || from.get_regs())?;
    attempt("KVM_SET_REGS", || to.set_regs(&registers))?;
    let sregs = attempt("KVM_GET_SREGS", || from.get_sregs())?;
    attempt("KVM_SET_SREGS", || to.set_sregs(&sregs))?;
    let xsave = attempt("KVM_GET_XSAVE", || from.get_xsave())?;
    // SAFETY: no dynamic feature (AMX) was asked for, so the state fits the 4 KiB of kvm_xsave.
    attempt("KVM_SET_XSAVE", || unsafe { to.set_xsave(&xsave) })?;
    let xcrs = attempt("KVM_GET_XCRS", || from.get_xcrs())?;
    attempt("KVM_SET_XCRS", || to.set_xcrs(&xcrs))?;
    let debug = attempt("KVM_GET_DEBUGREGS", || from.get_debug_regs())?;
    attempt("KVM_SET_DEBUGREGS", || to.set_debug_regs(&debug))?;
    let lapic = attempt("KVM_GET_LAPIC", || from.get_lapic())?;
    attempt("KVM_SET_LAPIC", || to.set_lapic(&lapic))?;
    let events = attempt("KVM_GET_VCPU_EVENTS", || from.get_vcpu_events())?;
    attempt("KVM_SET_VCPU_EVENTS", || to.set_vcpu_events(&events))
}

fn carry_chips(from: &Machine, to: &Machine) -> Result<(), Failure> {
    let (from, to) = (&from.vm, &to.vm);
    let pit = attempt("KVM_GET_PIT2", || from.get_pit2())?;
    attempt("KVM_SET_PIT2", || to.set_pit2(&pit))?;
    let mut clock = attempt("KVM_GET_CLOCK", || from.get_clock())?;
    clock.flags = 0;
    attempt("KVM_SET_CLOCK", || to.set_clock(&clock))?;
    for chip_id in 0..3 {
        let mut chip = kvm_irqchip {
            chip_id,
            ..Default::default()
        };
        attempt("KVM_GET_IRQCHIP", || from.get_irqchip(&mut chip))?;
        attempt("KVM_SET_IRQCHIP", || to.set_irqchip(&chip))?;
    }
    Ok(())
}
