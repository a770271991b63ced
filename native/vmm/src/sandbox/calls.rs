//! The lists of system calls. Every `ioctl` is named by its request number; memory can be made, but never executable.

use std::collections::BTreeMap;

use kvm_bindings::{
    kvm_debugregs, kvm_ioeventfd, kvm_irq_routing, kvm_irqfd, kvm_lapic_state, kvm_mp_state,
    kvm_msi, kvm_msrs, kvm_regs, kvm_sregs, kvm_vcpu_events, kvm_xcrs, kvm_xsave,
};
use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};
use wherry_devices::virtio::Kind;
use wherry_devices::virtio::block::{BLKDISCARD, BLKZEROOUT};

use super::Class;

/// What the allocator, locks, the end of a thread and the end of the process need.
const ALL: [c_long; 17] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_futex,
    // A channel of the standard library waits so for a thread that was interrupted in the middle of it.
    libc::SYS_sched_yield,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_clock_gettime,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// It loads kernels again when a guest resets, and kicks vCPUs.
const CONTROL: [c_long; 11] = [
    libc::SYS_close,
    libc::SYS_pread64,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_fallocate,
    libc::SYS_tgkill,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
];

const RNG: [c_long; 1] = [libc::SYS_getrandom];

const BLOCK: [c_long; 4] = [
    libc::SYS_preadv,
    libc::SYS_pwritev2,
    libc::SYS_fdatasync,
    libc::SYS_fallocate,
];

/// Of block devices.
const DISCARDS: [u32; 2] = [BLKDISCARD as u32, BLKZEROOUT as u32];

const KVMIO: u32 = 0xae;
const NONE: u32 = 0;
const WRITE: u32 = 1;
const READ: u32 = 2;

const fn kvm<T>(direction: u32, number: u32) -> u32 {
    let size = if direction == NONE {
        0
    } else {
        size_of::<T>() as u32
    };
    direction << 30 | size << 16 | KVMIO << 8 | number
}

const KVM_RUN: u32 = kvm::<()>(NONE, 0x80);

/// What a device's registers lead to: interrupts and doorbells.
const WIRES: [u32; 4] = [
    kvm::<kvm_irq_routing>(WRITE, 0x6a),
    kvm::<kvm_irqfd>(WRITE, 0x76),
    kvm::<kvm_ioeventfd>(WRITE, 0x79),
    kvm::<kvm_msi>(WRITE, 0xa5),
];

/// A vCPU's state: read for the log, written at a reset.
const STATE: [u32; 12] = [
    kvm::<kvm_regs>(READ, 0x81),
    kvm::<kvm_regs>(WRITE, 0x82),
    kvm::<kvm_sregs>(READ, 0x83),
    kvm::<kvm_sregs>(WRITE, 0x84),
    kvm::<kvm_msrs>(WRITE, 0x89),
    kvm::<kvm_lapic_state>(WRITE, 0x8f),
    kvm::<kvm_mp_state>(WRITE, 0x99),
    kvm::<kvm_vcpu_events>(WRITE, 0xa0),
    kvm::<kvm_debugregs>(WRITE, 0xa2),
    kvm::<kvm_xsave>(WRITE, 0xa5),
    kvm::<kvm_xcrs>(WRITE, 0xa7),
    KVM_RUN,
];

fn of(class: Class) -> (&'static [c_long], Vec<u32>) {
    match class {
        Class::Control => (&CONTROL, WIRES.to_vec()),
        Class::Vcpu => (&[], [&WIRES[..], &STATE].concat()),
        Class::Device(Kind::Rng) => (&RNG, Vec::new()),
        Class::Device(Kind::Block) => (&BLOCK, DISCARDS.to_vec()),
        Class::Device(Kind::Net) => (&[], wherry_devices::virtio::net::REQUESTS.to_vec()),
    }
}

pub fn program(class: Class) -> Result<BpfProgram, BackendError> {
    let (calls, requests) = of(class);
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> = BTreeMap::new();
    for call in ALL.iter().chain(calls) {
        rules.insert(*call, Vec::new());
    }
    let without_exec = argument(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0)?;
    rules.insert(libc::SYS_mmap, vec![without_exec.clone()]);
    rules.insert(libc::SYS_mprotect, vec![without_exec]);
    if !requests.is_empty() {
        let named = requests
            .into_iter()
            .map(|request| argument(1, SeccompCmpOp::Eq, u64::from(request)));
        rules.insert(libc::SYS_ioctl, named.collect::<Result<_, _>>()?);
    }
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        TargetArch::x86_64,
    )?;
    filter.try_into()
}

fn argument(index: u8, compare: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    let condition = SeccompCondition::new(index, SeccompCmpArgLen::Dword, compare, value)?;
    SeccompRule::new(vec![condition])
}
