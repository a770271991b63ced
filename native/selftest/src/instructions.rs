//! The sample of instructions that real kernels and their programs need, at the privilege level that they need them at.

use kvm_bindings::kvm_regs;

use crate::features::Features;
use crate::image::Program;
use crate::layout;
use crate::machine::Start;

/// One program and when it applies.
pub struct Instruction {
    pub name: &'static str,
    pub program: Program,
    /// Whether the processor has it at all.
    pub present: fn(Features) -> bool,
    pub handlers: &'static [(u8, Program)],
    /// Registers beyond rdi and rsi.
    pub registers: fn(Features, &mut kvm_regs),
}

const BREAKPOINT: u8 = 3;
const GENERAL_PROTECTION: u8 = 13;
const PAGE_FAULT: u8 = 14;

/// What a kernel of the last ten years reads during boot on any processor with long mode.
pub const READ_MSRS: [u32; 12] = [
    0x10,        // TSC
    0x1b,        // APIC base
    0x277,       // page attribute table
    0xfe,        // MTRR capabilities
    0x2ff,       // MTRR default type
    0xc000_0080, // EFER
    0xc000_0081, // STAR
    0xc000_0082, // LSTAR
    0xc000_0084, // SYSCALL mask
    0xc000_0100, // FS base
    0xc000_0101, // GS base
    0xc000_0102, // kernel GS base
];

impl Instruction {
    const fn new(name: &'static str, program: Program) -> Instruction {
        Instruction {
            name,
            program,
            present: |_| true,
            handlers: &[],
            registers: |_, _| {},
        }
    }

    const fn where_present(self, present: fn(Features) -> bool) -> Instruction {
        Instruction { present, ..self }
    }

    const fn handlers(self, handlers: &'static [(u8, Program)]) -> Instruction {
        Instruction { handlers, ..self }
    }

    const fn registers(self, registers: fn(Features, &mut kvm_regs)) -> Instruction {
        Instruction { registers, ..self }
    }

    pub fn start(&self, features: Features) -> Start {
        let start =
            Start::new(self.program).with(|registers| (self.registers)(features, registers));
        self.handlers
            .iter()
            .fold(start, |start, (vector, handler)| {
                start.handler(*vector, *handler)
            })
    }
}

pub const INSTRUCTIONS: &[Instruction] = &[
    Instruction::new("syscall/sysret (CPL 3)", Program::Syscall),
    Instruction::new("cpuid (CPL 0)", Program::CpuidKernel)
        .where_present(|features| features.kvm_signature),
    Instruction::new("cpuid (CPL 3)", Program::CpuidUser)
        .where_present(|features| features.kvm_signature),
    Instruction::new("rdmsr", Program::ReadMsrs).registers(|_, registers| {
        registers.r8 = layout::MSR_LIST;
        registers.r9 = READ_MSRS.len() as u64;
    }),
    Instruction::new("swapgs", Program::Swapgs),
    Instruction::new("lgdt/lidt/str/retf", Program::DescriptorTables),
    Instruction::new("mov cr/dr, clts, wbinvd", Program::ControlRegisters),
    Instruction::new("clac/stac", Program::SmapToggle).where_present(|features| features.smap),
    Instruction::new("wrfsbase", Program::Fsgsbase).where_present(|features| features.fsgsbase),
    Instruction::new("rdtscp", Program::Rdtscp).where_present(|features| features.rdtscp),
    Instruction::new("int3 (CPL 0)", Program::Int3Kernel)
        .handlers(&[(BREAKPOINT, Program::OnTrap)]),
    Instruction::new("int3 (CPL 3)", Program::Int3User).handlers(&[(BREAKPOINT, Program::OnTrap)]),
    Instruction::new("fwait (CPL 0)", Program::FwaitKernel),
    Instruction::new("fwait (CPL 3)", Program::FwaitUser),
    Instruction::new("xsave/xrstor (CPL 0)", Program::XsaveKernel)
        .where_present(|features| features.xsave)
        .registers(xcr0),
    Instruction::new("xsave/xrstor (CPL 3)", Program::XsaveUser)
        .where_present(|features| features.xsave)
        .registers(xcr0),
    Instruction::new("avx (CPL 3)", Program::AvxUser)
        .where_present(|features| features.avx)
        .registers(xcr0),
    Instruction::new("cmpxchg16b (CPL 3)", Program::Cmpxchg16bUser)
        .where_present(|features| features.cmpxchg16b),
    Instruction::new("protection fault (CPL 3)", Program::ProtectionUser)
        .handlers(&[(GENERAL_PROTECTION, Program::OnProtection)]),
    Instruction::new("page fault (CPL 3)", Program::PageFaultUser)
        .handlers(&[(PAGE_FAULT, Program::OnPageFault)])
        .registers(|_, registers| registers.r8 = layout::KERNEL_ONLY + 0x123),
];

fn xcr0(features: Features, registers: &mut kvm_regs) {
    registers.r8 = features.xcr0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_every_program_is_used() {
        let names: HashSet<&str> = INSTRUCTIONS
            .iter()
            .map(|instruction| instruction.name)
            .collect();
        assert_eq!(names.len(), INSTRUCTIONS.len());
        for program in [
            Program::Syscall,
            Program::AvxUser,
            Program::Rdtscp,
            Program::SmapToggle,
        ] {
            assert!(
                INSTRUCTIONS
                    .iter()
                    .any(|instruction| instruction.program == program),
                "{program:?}"
            );
        }
    }

    #[test]
    fn a_bare_processor_gets_the_checks_that_long_mode_implies() {
        let present: Vec<&str> = INSTRUCTIONS
            .iter()
            .filter(|instruction| (instruction.present)(Features::default()))
            .map(|instruction| instruction.name)
            .collect();
        for name in [
            "syscall/sysret (CPL 3)",
            "int3 (CPL 0)",
            "fwait (CPL 3)",
            "rdmsr",
        ] {
            assert!(present.contains(&name), "{name}");
        }
        assert!(!present.contains(&"clac/stac"));
    }

    #[test]
    fn a_start_carries_handlers_and_registers() {
        let features = Features {
            xcr0: 7,
            ..Features::default()
        };
        let by_name = |name| {
            INSTRUCTIONS
                .iter()
                .find(|instruction| instruction.name == name)
                .unwrap()
        };
        assert_eq!(by_name("avx (CPL 3)").start(features).registers.r8, 7);
        assert_eq!(
            by_name("int3 (CPL 3)").start(features).handlers,
            [(3, Program::OnTrap)]
        );
    }
}
