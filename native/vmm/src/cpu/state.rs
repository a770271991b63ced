//! All of a vCPU's state, read and written in the orders that KVM needs.

use kvm_bindings::{
    Msrs, kvm_debugregs, kvm_lapic_state, kvm_mp_state, kvm_msr_entry, kvm_regs, kvm_sregs,
    kvm_vcpu_events, kvm_xcrs, kvm_xsave,
};
use kvm_ioctls::VcpuFd;

use crate::error::{OrFault, Result};

/// KVM takes no more at once.
const CHUNK: usize = 256;
/// Time goes on through a reset; writing it would put the vCPUs' clocks apart.
const TSC: u32 = 0x10;

pub struct State {
    mp_state: kvm_mp_state,
    pub regs: kvm_regs,
    pub sregs: kvm_sregs,
    xsave: Box<kvm_xsave>,
    xcrs: kvm_xcrs,
    debug: kvm_debugregs,
    pub lapic: Box<kvm_lapic_state>,
    pub msrs: Vec<kvm_msr_entry>,
    events: kvm_vcpu_events,
}

impl State {
    /// Of a vCPU that is not running and has no exit half done. `msrs` that it cannot read are left out.
    pub fn save(vcpu: &VcpuFd, msrs: &[u32]) -> Result<State> {
        Ok(State {
            // First: reading it lets KVM finish what INIT and SIPI began.
            mp_state: vcpu.get_mp_state().or_fault("KVM_GET_MP_STATE")?,
            regs: vcpu.get_regs().or_fault("KVM_GET_REGS")?,
            sregs: vcpu.get_sregs().or_fault("KVM_GET_SREGS")?,
            xsave: Box::new(vcpu.get_xsave().or_fault("KVM_GET_XSAVE")?),
            xcrs: vcpu.get_xcrs().or_fault("KVM_GET_XCRS")?,
            debug: vcpu.get_debug_regs().or_fault("KVM_GET_DEBUGREGS")?,
            lapic: Box::new(vcpu.get_lapic().or_fault("KVM_GET_LAPIC")?),
            msrs: read_msrs(vcpu, msrs)?,
            // Last: it has what the others have left pending.
            events: vcpu.get_vcpu_events().or_fault("KVM_GET_VCPU_EVENTS")?,
        })
    }

    pub fn restore(&self, vcpu: &VcpuFd) -> Result<()> {
        vcpu.set_mp_state(self.mp_state)
            .or_fault("KVM_SET_MP_STATE")?;
        vcpu.set_regs(&self.regs).or_fault("KVM_SET_REGS")?;
        vcpu.set_sregs(&self.sregs).or_fault("KVM_SET_SREGS")?;
        // SAFETY: without AMX, which is asked of no kernel here, the state ends within the structure.
        unsafe { vcpu.set_xsave(&self.xsave) }.or_fault("KVM_SET_XSAVE")?;
        vcpu.set_xcrs(&self.xcrs).or_fault("KVM_SET_XCRS")?;
        vcpu.set_debug_regs(&self.debug)
            .or_fault("KVM_SET_DEBUGREGS")?;
        // After the special registers, which have its base address; before the MSRs, which have its deadline.
        vcpu.set_lapic(&self.lapic).or_fault("KVM_SET_LAPIC")?;
        write_msrs(vcpu, &self.msrs)?;
        // After the registers, whose writing clears exceptions.
        vcpu.set_vcpu_events(&self.events)
            .or_fault("KVM_SET_VCPU_EVENTS")
    }
}

fn read_msrs(vcpu: &VcpuFd, wanted: &[u32]) -> Result<Vec<kvm_msr_entry>> {
    let doing = "KVM_GET_MSRS";
    let mut left: Vec<u32> = wanted.iter().copied().filter(|it| *it != TSC).collect();
    let mut found = Vec::new();
    while !left.is_empty() {
        let entries: Vec<_> = left
            .iter()
            .take(CHUNK)
            .map(|index| kvm_msr_entry {
                index: *index,
                ..Default::default()
            })
            .collect();
        let mut msrs = Msrs::from_entries(&entries).or_fault(doing)?;
        let read = vcpu.get_msrs(&mut msrs).or_fault(doing)?;
        found.extend(msrs.as_slice().iter().take(read));
        // The one at which it stopped does not exist for this vCPU.
        let passed = if read < entries.len() {
            read.saturating_add(1)
        } else {
            read
        };
        left.drain(..passed);
    }
    Ok(found)
}

/// What KVM refuses is left as it is: hosts differ in which of their MSRs can be written.
pub fn write_msrs(vcpu: &VcpuFd, entries: &[kvm_msr_entry]) -> Result<()> {
    let doing = "KVM_SET_MSRS";
    let mut left = entries;
    while !left.is_empty() {
        let chunk = left.get(..left.len().min(CHUNK)).unwrap_or_default();
        let msrs = Msrs::from_entries(chunk).or_fault(doing)?;
        let written = vcpu.set_msrs(&msrs).or_fault(doing)?;
        let passed = if written < chunk.len() {
            written.saturating_add(1)
        } else {
            written
        };
        left = left.get(passed..).unwrap_or_default();
    }
    Ok(())
}
