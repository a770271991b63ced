//! One virtual machine with one vCPU, set up for 64-bit mode, that runs one program after the other.

use std::time::{Duration, Instant};

use kvm_bindings::{
    CpuId, KVM_MAX_CPUID_ENTRIES, KVM_MEM_LOG_DIRTY_PAGES, kvm_pit_config, kvm_regs,
    kvm_userspace_memory_region,
};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};

use crate::expectations::meaning;
use crate::failure::{Failure, attempt};
use crate::features::Features;
use crate::image::{self, Program};
use crate::layout;
use crate::memory::Memory;
use crate::registers::long_mode;

/// Where a program's result is written.
const RESULT_ADDRESS: u64 = layout::MMIO + 0x510;
const EXCEPTION_PORT: u16 = 0x511;
pub const DOORBELL_PORT: u16 = 0x512;
const INPUT_PORT: u16 = 0x513;
const PAUSE_PORT: u16 = 0x514;
/// What ports and MMIO read as.
const INPUT: [u8; 4] = 0x600d_cafeu32.to_le_bytes();
/// The longest that one program may take; the longest of them waits for a timer of a few microseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Three pages that KVM on Intel needs below 4 GiB, away from everything else.
const TSS_ADDRESS: usize = 0xfffb_d000;
const IDENTITY_MAP_ADDRESS: u64 = 0xfffb_c000;

/// A program and what it starts with.
#[derive(Clone)]
pub struct Start {
    pub program: Program,
    /// Who handles which vector; every other one ends the program.
    pub handlers: Vec<(u8, Program)>,
    pub registers: kvm_regs,
}

impl Start {
    pub fn new(program: Program) -> Start {
        Start {
            program,
            handlers: Vec::new(),
            registers: kvm_regs::default(),
        }
    }

    pub fn handler(mut self, vector: u8, handler: Program) -> Start {
        self.handlers.push((vector, handler));
        self
    }

    /// Sets registers beyond rdi and rsi.
    pub fn with(mut self, set: impl FnOnce(&mut kvm_regs)) -> Start {
        set(&mut self.registers);
        self
    }
}

/// Why a run came back.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Result(u32),
    Paused,
    Exception(u32),
    Hung,
    Odd(String),
}

/// Fields in the order in which they must be dropped: the vCPU before its VM, the VM before its memory.
pub struct Machine {
    pub vcpu: VcpuFd,
    pub vm: VmFd,
    pub memory: Memory,
    pub features: Features,
    /// MMIO writes that came out to this process since `prepare`: address and value.
    pub mmio_writes: Vec<(u64, Vec<u8>)>,
}

impl Machine {
    pub fn new(kvm: &Kvm) -> Result<Machine, Failure> {
        let vm = attempt("KVM_CREATE_VM", || kvm.create_vm())?;
        attempt("KVM_SET_TSS_ADDR", || vm.set_tss_address(TSS_ADDRESS))?;
        attempt("KVM_SET_IDENTITY_MAP_ADDR", || {
            vm.set_identity_map_address(IDENTITY_MAP_ADDRESS)
        })?;
        attempt("KVM_CREATE_IRQCHIP", || vm.create_irq_chip())?;
        attempt("KVM_CREATE_PIT2", || {
            vm.create_pit2(kvm_pit_config::default())
        })?;
        let memory =
            Memory::new().map_err(|error| Failure(format!("mapping guest memory: {error}")))?;
        let vcpu = attempt("KVM_CREATE_VCPU", || vm.create_vcpu(0))?;
        let cpuid: CpuId = attempt("KVM_GET_SUPPORTED_CPUID", || {
            kvm.get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
        })?;
        attempt("KVM_SET_CPUID2", || vcpu.set_cpuid2(&cpuid))?;
        let features = Features::of(cpuid.as_slice());
        let mut machine = Machine {
            vcpu,
            vm,
            memory,
            features,
            mmio_writes: Vec::new(),
        };
        machine.log_dirty_pages(false)?;
        Ok(machine)
    }

    /// Registers the memory, with or without a log of the pages that the guest writes.
    pub fn log_dirty_pages(&mut self, log: bool) -> Result<(), Failure> {
        let region = kvm_userspace_memory_region {
            slot: 0,
            flags: if log { KVM_MEM_LOG_DIRTY_PAGES } else { 0 },
            guest_phys_addr: 0,
            memory_size: layout::MEMORY_SIZE as u64,
            userspace_addr: self.memory.host_address(),
        };
        // SAFETY: the mapping lives as long as this machine and is unmapped after the VM is closed (order of the fields).
        attempt("KVM_SET_USER_MEMORY_REGION", || unsafe {
            self.vm.set_user_memory_region(region)
        })
    }

    /// Runs a program from its beginning. Anything but its result 1 is a failure that says what was seen.
    pub fn run(&mut self, start: &Start) -> Result<(), Failure> {
        self.prepare(start)?;
        self.resume()
    }

    /// Goes on with the program that was prepared, paused or restored.
    pub fn resume(&mut self) -> Result<(), Failure> {
        match self.enter()? {
            Ended::Result(1) => Ok(()),
            other => Err(self.explain(&other)),
        }
    }

    /// Runs until the program asks for a pause, and completes the instruction that asked, so that registers are whole.
    pub fn resume_to_pause(&mut self) -> Result<(), Failure> {
        match self.enter()? {
            Ended::Paused => {}
            other => return Err(self.explain(&other)),
        }
        self.complete()
    }

    /// Lets KVM finish the instruction that brought the last exit, without entering the guest: before that, registers are
    /// half-way and must neither be read nor written.
    fn complete(&mut self) -> Result<(), Failure> {
        self.vcpu.set_kvm_immediate_exit(1);
        let completed = self.vcpu.run().map(|exit| format!("{exit:?}"));
        self.vcpu.set_kvm_immediate_exit(0);
        match completed {
            Err(error) if error.errno() == libc::EINTR => Ok(()),
            other => Err(Failure(format!(
                "immediate_exit gave {other:?} instead of EINTR"
            ))),
        }
    }

    /// Writes tables, image and registers, so that nothing of an earlier program is left.
    pub fn prepare(&mut self, start: &Start) -> Result<(), Failure> {
        self.complete()?;
        self.mmio_writes.clear();
        self.memory.write(0, &[0; layout::CODE as usize]);
        self.memory.write(layout::SCRATCH, &[0; 0x1_0000]);
        self.memory.write(layout::CODE, image::bytes());
        for (address, entry) in layout::page_tables() {
            self.memory.write_u64(address, entry);
        }
        for (at, descriptor) in layout::gdt().iter().enumerate() {
            self.memory
                .write_u64(layout::GDT + at as u64 * 8, *descriptor);
        }
        self.memory.write(layout::TSS, &layout::task_state());
        for vector in 0..32u8 {
            self.set_gate(
                vector,
                Program::Exceptions.offset() + u64::from(vector) * 16,
            );
        }
        for (vector, handler) in &start.handlers {
            self.set_gate(*vector, handler.offset());
        }
        let sregs = attempt("KVM_GET_SREGS", || self.vcpu.get_sregs())?;
        let sregs = long_mode(sregs, self.features);
        attempt("KVM_SET_SREGS", || self.vcpu.set_sregs(&sregs))?;
        let registers = kvm_regs {
            rip: layout::CODE + start.program.offset(),
            rsp: layout::STACK_TOP,
            rflags: 2,
            rdi: layout::SCRATCH,
            rsi: layout::MMIO,
            ..start.registers
        };
        attempt("KVM_SET_REGS", || self.vcpu.set_regs(&registers))
    }

    fn set_gate(&mut self, vector: u8, offset: u64) {
        let gate = layout::gate(vector, layout::CODE + offset);
        self.memory
            .write(layout::IDT + u64::from(vector) * 16, &gate);
    }

    /// KVM_RUN until the program says something.
    fn enter(&mut self) -> Result<Ended, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.vcpu.run() {
                Ok(VcpuExit::MmioWrite(RESULT_ADDRESS, data)) => {
                    return Ok(Ended::Result(number(data)));
                }
                Ok(VcpuExit::IoOut(EXCEPTION_PORT, data)) => {
                    return Ok(Ended::Exception(number(data)));
                }
                Ok(VcpuExit::IoOut(PAUSE_PORT, _)) => return Ok(Ended::Paused),
                Ok(VcpuExit::IoIn(INPUT_PORT, data)) => fill(data),
                Ok(VcpuExit::MmioRead(_, data)) => fill(data),
                Ok(VcpuExit::MmioWrite(address, data)) => {
                    self.mmio_writes.push((address, data.to_vec()))
                }
                Ok(other) => return Ok(Ended::Odd(format!("{other:?}"))),
                // The clock of the watchdog ticks: time to look at ours.
                Err(error) if error.errno() == libc::EINTR => {}
                Err(error) => return Err(Failure(format!("KVM_RUN: {error}"))),
            }
            if Instant::now() > deadline {
                return Ok(Ended::Hung);
            }
        }
    }

    fn explain(&mut self, ended: &Ended) -> Failure {
        let Ok(registers) = self.vcpu.get_regs() else {
            return Failure(format!("{ended:?}, and its registers cannot be read"));
        };
        Failure(match ended {
            Ended::Result(number) => {
                meaning(*number).map_or_else(|| format!("result {number:#x}"), ToString::to_string)
            }
            Ended::Paused => "paused where it should not".into(),
            Ended::Exception(vector) => {
                let stack = if Memory::contains(registers.rsp, 24) {
                    self.memory.read(registers.rsp, 24)
                } else {
                    vec![]
                };
                let words: Vec<String> = stack
                    .chunks_exact(8)
                    .map(|word| {
                        format!(
                            "{:#x}",
                            u64::from_le_bytes(word.try_into().unwrap_or_default())
                        )
                    })
                    .collect();
                format!(
                    "unexpected exception {vector}, stack {}, ecx {:#x}",
                    words.join(" "),
                    registers.rcx as u32
                )
            }
            Ended::Hung => format!(
                "no end after {} s, at {}",
                PATIENCE.as_secs(),
                self.place(&registers)
            ),
            Ended::Odd(exit) if exit == "InternalError" => {
                // SAFETY: for this exit reason KVM fills `internal` of the union; any bits are a valid u32.
                let suberror =
                    unsafe { self.vcpu.get_kvm_run().__bindgen_anon_1.internal.suberror };
                let why = if suberror == 1 {
                    "KVM cannot emulate an instruction"
                } else {
                    "KVM internal error"
                };
                format!("{why} (suberror {suberror}) at {}", self.place(&registers))
            }
            Ended::Odd(exit) => format!("unexpected exit {exit} at {}", self.place(&registers)),
        })
    }

    /// rip as an offset into the image, and the bytes there, for whoever reads the report.
    fn place(&self, registers: &kvm_regs) -> String {
        let rip = registers.rip;
        if !Memory::contains(rip, 8) {
            return format!("{rip:#x}");
        }
        let bytes: Vec<String> = self
            .memory
            .read(rip, 8)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!(
            "image+{:#x} ({})",
            rip.wrapping_sub(layout::CODE),
            bytes.join(" ")
        )
    }
}

fn number(data: &[u8]) -> u32 {
    data.first_chunk()
        .map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes))
}

fn fill(data: &mut [u8]) {
    for (to, from) in data.iter_mut().zip(INPUT.iter().cycle()) {
        *to = *from;
    }
}
