//! The virtual machine in the kernel.

mod interrupts;

use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::sync::Arc;

use kvm_bindings::{
    CpuId, KVM_API_VERSION, KVM_CAP_SPLIT_IRQCHIP, KVM_CAP_X2APIC_API, KVM_MAX_CPUID_ENTRIES,
    KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK, KVM_X2APIC_API_USE_32BIT_IDS, kvm_enable_cap,
    kvm_userspace_memory_region,
};
use kvm_ioctls::{Cap, Kvm, VcpuFd, VmFd};
use wherry_devices::ioapic;

pub use interrupts::Interrupts;

use crate::error::{Fault, OrFault, Result};
use crate::layout;
use crate::memory::Memory;

/// Without these no guest of ours runs.
const NEEDED: [(Cap, &str); 9] = [
    (Cap::SplitIrqchip, "SPLIT_IRQCHIP"),
    (Cap::UserMemory, "USER_MEMORY"),
    (Cap::SetTssAddr, "SET_TSS_ADDR"),
    (Cap::ExtCpuid, "EXT_CPUID"),
    (Cap::MpState, "MP_STATE"),
    (Cap::Irqfd, "IRQFD"),
    (Cap::Ioeventfd, "IOEVENTFD"),
    (Cap::VcpuEvents, "VCPU_EVENTS"),
    (Cap::ImmediateExit, "IMMEDIATE_EXIT"),
];

pub struct Machine {
    kvm: Kvm,
    pub vm: Arc<VmFd>,
    pub cpuid: CpuId,
}

impl Machine {
    /// `device` is `/dev/kvm`, open.
    pub fn new(device: OwnedFd) -> Result<Machine> {
        // SAFETY: the descriptor is open and from now on the wrapper's alone.
        let kvm = unsafe { Kvm::from_raw_fd(device.into_raw_fd()) };
        if kvm.get_api_version() != KVM_API_VERSION as i32 {
            return Err(Fault::new("the descriptor is no KVM of API version 12"));
        }
        for (cap, name) in NEEDED {
            if !kvm.check_extension(cap) {
                return Err(Fault::new(format!("this KVM has no KVM_CAP_{name}")));
            }
        }
        let cpuid = kvm
            .get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
            .or_fault("KVM_GET_SUPPORTED_CPUID")?;
        let vm = Arc::new(create(&kvm)?);
        let machine = Machine { kvm, vm, cpuid };
        machine.prepare()?;
        Ok(machine)
    }

    /// What must be said before there is a vCPU.
    fn prepare(&self) -> Result<()> {
        self.vm
            .set_tss_address(layout::TSS as usize)
            .or_fault("KVM_SET_TSS_ADDR")?;
        self.vm
            .set_identity_map_address(layout::IDENTITY_MAP)
            .or_fault("KVM_SET_IDENTITY_MAP_ADDR")?;
        self.enable(KVM_CAP_SPLIT_IRQCHIP, u64::from(ioapic::PINS))
            .or_fault("KVM_CAP_SPLIT_IRQCHIP")?;
        // Older kernels know only ids of 8 bits, which are all that we give.
        let ids = KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
        let _ = self.enable(KVM_CAP_X2APIC_API, u64::from(ids));
        Ok(())
    }

    fn enable(&self, cap: u32, argument: u64) -> std::result::Result<(), kvm_ioctls::Error> {
        let mut request = kvm_enable_cap {
            cap,
            ..Default::default()
        };
        request.args[0] = argument;
        self.vm.enable_cap(&request)
    }

    /// The machine's RAM from now on. The memory must outlive the machine.
    pub fn set_memory(&self, memory: &Memory) -> Result<()> {
        for (number, slot) in memory.slots().into_iter().enumerate() {
            let region = kvm_userspace_memory_region {
                slot: number as u32,
                flags: 0,
                guest_phys_addr: slot.guest,
                memory_size: slot.size,
                userspace_addr: slot.host,
            };
            // SAFETY: the stretch is mapped for as long as `memory` lives, and shared with whoever writes into it.
            unsafe { self.vm.set_user_memory_region(region) }
                .or_fault("KVM_SET_USER_MEMORY_REGION")?;
        }
        Ok(())
    }

    pub fn vcpu(&self, number: u8) -> Result<VcpuFd> {
        self.vm
            .create_vcpu(u64::from(number))
            .or_fault("KVM_CREATE_VCPU")
    }

    pub fn has_tsc_deadline(&self) -> bool {
        self.kvm.check_extension(Cap::TscDeadlineTimer)
    }

    /// The MSRs that belong to a vCPU's state.
    pub fn msrs(&self) -> Result<Vec<u32>> {
        let list = self
            .kvm
            .get_msr_index_list()
            .or_fault("KVM_GET_MSR_INDEX_LIST")?;
        Ok(list.as_slice().to_vec())
    }
}

/// A signal that comes meanwhile makes it fail; it is asked again.
fn create(kvm: &Kvm) -> Result<VmFd> {
    loop {
        match kvm.create_vm() {
            Err(error) if error.errno() == libc::EINTR => {}
            made => return made.or_fault("KVM_CREATE_VM"),
        }
    }
}
