//! The state in which a vCPU starts.

use kvm_bindings::{kvm_lapic_state, kvm_msr_entry, kvm_regs, kvm_segment, kvm_sregs};
use kvm_ioctls::VcpuFd;

use super::state::{State, write_msrs};
use crate::error::{OrFault, Result};
use crate::layout;

/// Protected mode, and a coprocessor.
const CR0: u64 = 1 << 0 | 1 << 4;

/// What every vCPU is given beyond what KVM makes.
const MSRS: [(u32, u64); 2] = [
    // Fast string operations.
    (0x1a0, 1),
    // Memory is write-back where no range says otherwise.
    (0x2ff, 0x806),
];

const LVT_LINT0: usize = 0x350;
const LVT_LINT1: usize = 0x360;
const MASKED_EXTERNAL: u32 = 0x1_0700;
const NMI: u32 = 0x400;

/// Sets what KVM's own initial state leaves to the board. Once, after CPUID.
pub fn initialise(vcpu: &VcpuFd) -> Result<()> {
    let entries = MSRS.map(|(index, data)| kvm_msr_entry {
        index,
        data,
        ..Default::default()
    });
    write_msrs(vcpu, &entries)?;
    let mut lapic = vcpu.get_lapic().or_fault("KVM_GET_LAPIC")?;
    // There is no 8259 whose interrupts would come by LINT0.
    set_register(&mut lapic, LVT_LINT0, MASKED_EXTERNAL);
    set_register(&mut lapic, LVT_LINT1, NMI);
    vcpu.set_lapic(&lapic).or_fault("KVM_SET_LAPIC")
}

fn set_register(lapic: &mut kvm_lapic_state, offset: usize, value: u32) {
    for (register, byte) in lapic.regs.iter_mut().skip(offset).zip(value.to_le_bytes()) {
        *register = byte as _;
    }
}

/// Makes of a vCPU's initial state the one in which PVH enters a kernel: protected mode without paging, flat segments.
pub fn enter(vcpu: &VcpuFd, initial: &State, entry: u64) -> Result<()> {
    initial.restore(vcpu)?;
    let mut sregs = initial.sregs;
    flat(&mut sregs);
    vcpu.set_sregs(&sregs).or_fault("KVM_SET_SREGS")?;
    let regs = kvm_regs {
        rip: entry,
        rbx: layout::START_INFO,
        rflags: 2,
        ..Default::default()
    };
    vcpu.set_regs(&regs).or_fault("KVM_SET_REGS")
}

fn flat(sregs: &mut kvm_sregs) {
    const CODE: u8 = 0xb;
    const DATA: u8 = 0x3;
    const BUSY_TASK: u8 = 0xb;
    let segment = |selector: u16, type_: u8| kvm_segment {
        limit: u32::MAX,
        selector,
        type_,
        present: 1,
        s: 1,
        db: 1,
        g: 1,
        ..Default::default()
    };
    sregs.cs = segment(0x8, CODE);
    let data = segment(0x10, DATA);
    (sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss) = (data, data, data, data, data);
    sregs.tr = kvm_segment {
        limit: 0x67,
        s: 0,
        db: 0,
        g: 0,
        ..segment(0x18, BUSY_TASK)
    };
    sregs.cr0 = CR0;
    sregs.cr4 = 0;
    sregs.efer = 0;
}
