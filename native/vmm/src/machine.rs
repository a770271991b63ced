//! The machine, put together: memory, CPUs, devices, and what starts and stops them all.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use vm_memory::{Bytes, GuestAddress};
use vmm_sys_util::eventfd::EventFd;
use wherry_devices::bus::lock;
use wherry_devices::power::PowerSink;
use wherry_devices::serial::SerialPort;
use wherry_devices::virtio::{StartThread, VirtioDevice};

use crate::acpi;
use crate::boot::{Boot, reset_vector};
use crate::cpu::cpuid::{self, Place};
use crate::cpu::exits::Board;
use crate::cpu::state::State;
use crate::cpu::thread::{Confine, Vcpu, pause_all, reset_all, run_all};
use crate::cpu::{kick, start};
use crate::devices::{self, Devices};
use crate::error::{OrFault, Result};
use crate::kvm::{self, Interrupts};
use crate::layout;
use crate::memory::Memory;

/// Descriptors and sizes of a machine.
pub struct Parts {
    pub kvm: OwnedFd,
    pub console: OwnedFd,
    pub boot: Boot,
    pub memory: u64,
    pub cpus: u8,
    pub virtio: Vec<Box<dyn VirtioDevice>>,
    pub spare_ports: usize,
}

/// How devices and vCPUs speak to the thread that controls the machine, and what their threads do first.
pub struct Hooks {
    pub power: PowerSink,
    /// Counted up when the serial port has room again.
    pub drained: EventFd,
    pub confine_vcpu: Confine,
    pub start_device: StartThread,
}

/// Dropped in this order: threads, then the VM that they ran, then the memory that it had.
pub struct Machine {
    vcpus: Vec<Vcpu>,
    devices: Devices,
    tables: acpi::Board,
    boot: Boot,
    /// Another one for each run; a reset keeps it.
    generation: [u8; 16],
    _kvm: kvm::Machine,
    memory: Memory,
}

impl Machine {
    /// A machine that has not booted; its vCPUs stand still.
    pub fn new(parts: Parts, hooks: Hooks) -> Result<Machine> {
        let memory = Memory::new(parts.memory)?;
        let kvm = kvm::Machine::new(parts.kvm)?;
        kvm.set_memory(&memory)?;
        let tables = acpi::Board {
            cpus: parts.cpus,
            pci_high: layout::pci_high(parts.memory, cpuid::address_bits(&kvm.cpuid)),
        };
        let devices = Devices::new(devices::Parts {
            memory: &memory,
            interrupts: &Interrupts::new(kvm.vm.clone()),
            console: parts.console,
            virtio: parts.virtio,
            spare_ports: parts.spare_ports,
            pci_high: tables.pci_high.clone(),
            power: hooks.power,
            drained: hooks.drained,
            start_thread: hooks.start_device,
        })?;
        kick::install_handler()?;
        let board = Arc::new(devices.board()?);
        let vcpus = vcpus(&kvm, parts.cpus, &board, &hooks.confine_vcpu)?;
        Ok(Machine {
            vcpus,
            devices,
            tables,
            boot: parts.boot,
            generation: generation()?,
            _kvm: kvm,
            memory,
        })
    }

    /// Loads the kernel and puts the vCPUs at its entry. The memory is all zeros and nothing runs.
    pub fn boot(&self) -> Result<()> {
        let ram = self.memory.ram();
        let root = acpi::write(ram, &self.tables)?;
        ram.write_slice(&self.generation, GuestAddress(layout::GENERATION_ID))
            .or_fault("writing the generation id")?;
        reset_vector::write(ram)?;
        let entry = self.boot.load(ram, root)?;
        reset_all(&self.vcpus, entry)
    }

    pub fn run(&self) {
        self.devices.resume();
        run_all(&self.vcpus);
    }

    /// Returns when neither vCPUs nor devices touch the guest's memory.
    pub fn pause(&self) -> Result<()> {
        pause_all(&self.vcpus)?;
        self.devices.pause();
        Ok(())
    }

    /// Everything as it was before the first boot, and boots again. The machine is paused.
    pub fn reset(&self) -> Result<()> {
        self.devices.reset();
        self.memory.clear()?;
        self.boot()
    }

    pub fn press_power_button(&self) {
        self.devices.press_power_button();
    }

    /// By the vCPUs' numbers.
    pub fn vcpu_threads(&self) -> Vec<i32> {
        self.vcpus.iter().map(Vcpu::thread_id).collect()
    }

    pub fn devices(&self) -> &Devices {
        &self.devices
    }

    pub fn serial(&self) -> &Arc<Mutex<SerialPort>> {
        &self.devices.serial
    }

    /// Where keys come from.
    pub fn console(&self) -> Arc<File> {
        lock(&self.devices.serial).input().clone()
    }
}

fn generation() -> Result<[u8; 16]> {
    let mut id = [0; 16];
    rustix::rand::getrandom(&mut id[..], rustix::rand::GetRandomFlags::empty())
        .or_fault("making a generation id")?;
    Ok(id)
}

fn vcpus(
    kvm: &kvm::Machine,
    count: u8,
    board: &Arc<Board>,
    confine: &Confine,
) -> Result<Vec<Vcpu>> {
    let msrs = kvm.msrs()?;
    let made = (0..count)
        .map(|number| {
            let vcpu = kvm.vcpu(number)?;
            let place = Place {
                cpu: number,
                cpus: count,
                tsc_deadline: kvm.has_tsc_deadline(),
            };
            let table = cpuid::normalise(&kvm.cpuid, place)?;
            // Before any MSR: which of them exist depends on it.
            vcpu.set_cpuid2(&table).or_fault("KVM_SET_CPUID2")?;
            start::initialise(&vcpu)?;
            let initial = State::save(&vcpu, &msrs)?;
            Ok((number, vcpu, initial))
        })
        .collect::<Result<Vec<_>>>()?;
    // All vCPUs are made before the first thread gives up the right to make one.
    made.into_iter()
        .map(|(number, vcpu, initial)| {
            Vcpu::spawn(number, vcpu, initial, board.clone(), confine.clone())
        })
        .collect()
}
