//! What is tried around the processor: memory, ports, doorbells, interrupts.

use kvm_bindings::{
    KVM_IRQ_ROUTING_MSI, KvmIrqRouting, kvm_irq_routing_entry, kvm_irq_routing_entry__bindgen_ty_1,
    kvm_irq_routing_msi,
};
use kvm_ioctls::{Cap, IoEventAddress, Kvm, NoDatamatch};
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};

use crate::failure::{Failure, attempt};
use crate::image::Program;
use crate::layout;
use crate::machine::{DOORBELL_PORT, Machine, Start};

/// Passed with something worth knowing, or failed with why.
pub type Outcome = Result<String, Failure>;

/// A check that needs a machine. It may leave it in any state if it fails, and ready for the next program if not.
pub struct MachineCheck {
    pub name: &'static str,
    pub run: fn(&Kvm, &mut Machine) -> Outcome,
}

pub const MACHINE_CHECKS: &[MachineCheck] = &[
    MachineCheck {
        name: "long-mode",
        run: |_, machine| plain(machine, Program::LongMode),
    },
    MachineCheck {
        name: "port-io",
        run: |_, machine| plain(machine, Program::PortInput),
    },
    MachineCheck {
        name: "mmio",
        run: mmio,
    },
    MachineCheck {
        name: "ioeventfd",
        run: ioeventfd,
    },
    MachineCheck {
        name: "irqfd",
        run: irqfd,
    },
    MachineCheck {
        name: "apic-timer",
        run: apic_timer,
    },
    MachineCheck {
        name: "page-tables",
        run: page_tables,
    },
];

/// The device must answer as a KVM of version 12 with what QEMU's q35 cannot do without.
pub fn capabilities(kvm: &Kvm) -> Outcome {
    const NEEDED: [(Cap, &str); 15] = [
        (Cap::Irqchip, "IRQCHIP"),
        (Cap::UserMemory, "USER_MEMORY"),
        (Cap::SetTssAddr, "SET_TSS_ADDR"),
        (Cap::ExtCpuid, "EXT_CPUID"),
        (Cap::Pit2, "PIT2"),
        (Cap::MpState, "MP_STATE"),
        (Cap::IrqRouting, "IRQ_ROUTING"),
        (Cap::Irqfd, "IRQFD"),
        (Cap::Ioeventfd, "IOEVENTFD"),
        (Cap::VcpuEvents, "VCPU_EVENTS"),
        (Cap::AdjustClock, "ADJUST_CLOCK"),
        (Cap::Debugregs, "DEBUGREGS"),
        (Cap::Xcrs, "XCRS"),
        (Cap::SignalMsi, "SIGNAL_MSI"),
        (Cap::ImmediateExit, "IMMEDIATE_EXIT"),
    ];
    let version = kvm.get_api_version();
    if version != 12 {
        return Err(Failure(format!("API version {version} instead of 12")));
    }
    let missing: Vec<&str> = NEEDED
        .iter()
        .filter(|(cap, _)| !kvm.check_extension(*cap))
        .map(|(_, name)| *name)
        .collect();
    if !missing.is_empty() {
        return Err(Failure(format!("without {}", missing.join(", "))));
    }
    Ok(format!(
        "{} vCPUs, {} memory slots",
        kvm.get_max_vcpus(),
        kvm.get_nr_memslots()
    ))
}

fn plain(machine: &mut Machine, program: Program) -> Outcome {
    machine.run(&Start::new(program))?;
    Ok(String::new())
}

fn mmio(_: &Kvm, machine: &mut Machine) -> Outcome {
    machine.run(&Start::new(Program::Mmio))?;
    let expected = vec![(layout::MMIO, 0x600d_cafeu32.to_le_bytes().to_vec())];
    if machine.mmio_writes != expected {
        return Err(Failure(format!(
            "writes came out as {:x?}",
            machine.mmio_writes
        )));
    }
    Ok(String::new())
}

/// Both bells ring once and neither comes out as an exit.
fn ioeventfd(_: &Kvm, machine: &mut Machine) -> Outcome {
    let addresses = [
        IoEventAddress::Mmio(layout::MMIO + 0x100),
        IoEventAddress::Pio(DOORBELL_PORT.into()),
    ];
    let mut bells = Vec::new();
    for address in addresses {
        let bell = event()?;
        attempt("KVM_IOEVENTFD", || {
            machine.vm.register_ioevent(&bell, &address, NoDatamatch)
        })?;
        bells.push((address, bell));
    }
    machine.run(&Start::new(Program::Doorbells))?;
    for (address, bell) in bells {
        let rung = bell
            .read()
            .map_err(|error| Failure(format!("the bell at {address:?} did not ring: {error}")))?;
        if rung != 1 {
            return Err(Failure(format!(
                "the bell at {address:?} rang {rung} times"
            )));
        }
        attempt("KVM_IOEVENTFD (removing)", || {
            machine.vm.unregister_ioevent(&bell, &address, NoDatamatch)
        })?;
    }
    if !machine.mmio_writes.is_empty() {
        return Err(Failure(format!(
            "the write came out too: {:x?}",
            machine.mmio_writes
        )));
    }
    Ok(String::new())
}

fn interrupt(program: Program) -> Start {
    Start::new(program)
        .handler(0x40, Program::OnInterrupt)
        .with(|registers| registers.rbx = layout::LOCAL_APIC)
}

/// An eventfd becomes a message-signalled interrupt that wakes the halted vCPU.
fn irqfd(_: &Kvm, machine: &mut Machine) -> Outcome {
    const GSI: u32 = 24;
    let msi = kvm_irq_routing_msi {
        address_lo: layout::LOCAL_APIC as u32,
        data: 0x40,
        ..Default::default()
    };
    let entry = kvm_irq_routing_entry {
        gsi: GSI,
        type_: KVM_IRQ_ROUTING_MSI,
        u: kvm_irq_routing_entry__bindgen_ty_1 { msi },
        ..Default::default()
    };
    let routing =
        KvmIrqRouting::from_entries(&[entry]).map_err(|error| Failure(format!("{error:?}")))?;
    attempt("KVM_SET_GSI_ROUTING", || {
        machine.vm.set_gsi_routing(&routing)
    })?;
    let line = event()?;
    attempt("KVM_IRQFD", || machine.vm.register_irqfd(&line, GSI))?;
    // A local APIC drops what comes before the guest has switched it on.
    machine.prepare(&interrupt(Program::Interrupt))?;
    machine.resume_to_pause()?;
    let signal = line
        .try_clone()
        .map_err(|error| Failure(format!("duplicating an eventfd: {error}")))?;
    // From beside, and a little later, so that the vCPU has halted; should it come before that, the vCPU takes it all the same.
    let beside = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(2));
        signal.write(1)
    });
    let result = machine.resume();
    let signalled = beside.join();
    result?;
    match signalled {
        Ok(Ok(())) => {}
        other => return Err(Failure(format!("signalling an eventfd: {other:?}"))),
    }
    attempt("KVM_IRQFD (removing)", || {
        machine.vm.unregister_irqfd(&line, GSI)
    })?;
    Ok(String::new())
}

fn apic_timer(_: &Kvm, machine: &mut Machine) -> Outcome {
    machine.run(&interrupt(Program::ApicTimer))?;
    Ok(String::new())
}

/// The guest maps an address to one page, then to another, and finds the right one each time.
fn page_tables(_: &Kvm, machine: &mut Machine) -> Outcome {
    const FOUND: [u64; 2] = [0x1111_1111, 0x2222_2222];
    let start = Start::new(Program::Remap).with(|registers| {
        registers.r8 = layout::REMAP_PT;
        registers.r9 = layout::REMAP_PAGES[0] | layout::SHARED;
        registers.r10 = layout::REMAP_PAGES[1] | layout::SHARED;
        registers.r11 = layout::REMAPPED;
        (registers.r12, registers.r13) = (FOUND[0], FOUND[1]);
    });
    machine.prepare(&start)?;
    for (page, found) in layout::REMAP_PAGES.into_iter().zip(FOUND) {
        machine.memory.write_u64(page, found);
    }
    machine.resume()?;
    Ok(String::new())
}

fn event() -> Result<EventFd, Failure> {
    EventFd::new(EFD_NONBLOCK).map_err(|error| Failure(format!("making an eventfd: {error}")))
}
