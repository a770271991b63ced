//! What a guest has done that KVM cannot answer.

use std::sync::{Arc, Mutex};

use kvm_ioctls::{VcpuExit, VcpuFd};
use wherry_devices::bus::{Bus, lock};
use wherry_devices::ioapic::IoApic;
use wherry_devices::power::{PowerEvent, PowerSink};

/// Everything that a guest reaches by ports and addresses.
pub struct Board {
    pub ports: Bus,
    pub memory: Bus,
    pub ioapic: Arc<Mutex<IoApic>>,
    pub power: PowerSink,
}

/// How a stay in the guest has ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was served and goes on.
    Served,
    /// Called out, or there is nothing to run yet.
    Interrupted,
    /// The vCPU has stopped for good, until it is reset.
    Halted,
    /// KVM can run this guest no further, and why.
    Failed(String),
}

/// Runs the guest until it does something and answers that.
pub fn run(vcpu: &mut VcpuFd, board: &Board) -> Ended {
    match vcpu.run() {
        Ok(VcpuExit::IoOut(port, data)) => {
            let data: *const [u8] = data;
            let size = access_size(vcpu);
            // SAFETY: the bytes lie in the vCPU's shared page, which nobody writes while its thread is here.
            for piece in unsafe { &*data }.chunks(size) {
                board.ports.write(u64::from(port), piece);
            }
            Ended::Served
        }
        Ok(VcpuExit::IoIn(port, data)) => {
            let data: *mut [u8] = data;
            let size = access_size(vcpu);
            // SAFETY: as above; and this is the only reference to them.
            for piece in unsafe { &mut *data }.chunks_mut(size) {
                board.ports.read(u64::from(port), piece);
            }
            Ended::Served
        }
        Ok(VcpuExit::MmioRead(address, data)) => {
            board.memory.read(address, data);
            Ended::Served
        }
        Ok(VcpuExit::MmioWrite(address, data)) => {
            board.memory.write(address, data);
            Ended::Served
        }
        Ok(VcpuExit::IoapicEoi(vector)) => {
            lock(&board.ioapic).end_of_interrupt(vector);
            Ended::Served
        }
        // A triple fault is how a CPU asks to be reset. A kernel that does not mean it can say nothing more, so this does; where
        // it was is lost, for KVM of AMD has reset the vCPU.
        Ok(VcpuExit::Shutdown) => {
            eprintln!("wherry-vmm: a vCPU came to a triple fault: the guest is reset");
            board.power.send(PowerEvent::Reset);
            Ended::Halted
        }
        Ok(VcpuExit::Intr) => Ended::Interrupted,
        Ok(exit) => {
            let what = format!("{exit:?}");
            Ended::Failed(describe(vcpu, &what))
        }
        Err(error) => match error.errno() {
            libc::EINTR | libc::EAGAIN => Ended::Interrupted,
            _ => Ended::Failed(describe(vcpu, &format!("KVM_RUN: {error}"))),
        },
    }
}

/// Width of one access; a string instruction makes several at one exit.
fn access_size(vcpu: &mut VcpuFd) -> usize {
    // SAFETY: the exit was one of port I/O, whose part of the union this is.
    let size = unsafe { vcpu.get_kvm_run().__bindgen_anon_1.io.size };
    usize::from(size).max(1)
}

/// For the log: where the guest was. What it computed stays its own.
fn describe(vcpu: &VcpuFd, what: &str) -> String {
    match (vcpu.get_regs(), vcpu.get_sregs()) {
        (Ok(regs), Ok(sregs)) => format!(
            "{what} at rip {:#x}, cr0 {:#x}, cr4 {:#x}, efer {:#x}",
            regs.rip, sregs.cr0, sregs.cr4, sregs.efer
        ),
        _ => what.to_string(),
    }
}
