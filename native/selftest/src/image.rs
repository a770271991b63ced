//! The guest's programs (`guest/*.s`) as bytes and entry points.

use std::arch::global_asm;

// In this order: the first opens the section of the image, the last closes it.
global_asm!(
    include_str!("guest/shared.s"),
    include_str!("guest/machine.s"),
    include_str!("guest/kernel.s"),
    include_str!("guest/user.s"),
    options(raw)
);

unsafe extern "C" {
    static guest_image_start: u8;
    static guest_image_end: u8;
}

/// All programs, to be copied to one address.
pub fn bytes() -> &'static [u8] {
    let (start, end) = (&raw const guest_image_start, &raw const guest_image_end);
    // SAFETY: both labels stand in one read-only section of this binary, the end behind the start.
    unsafe { std::slice::from_raw_parts(start, end.offset_from_unsigned(start)) }
}

macro_rules! programs {
    ($($name:ident = $label:ident),* $(,)?) => {
        unsafe extern "C" { $(static $label: u8;)* }

        /// A program of the image, or a handler in it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Program { $($name),* }

        impl Program {
            #[cfg(test)]
            pub const ALL: &[Program] = &[$(Program::$name),*];

            /// Bytes from the start of the image.
            pub fn offset(self) -> u64 {
                let label = match self { $(Program::$name => &raw const $label),* };
                label as u64 - &raw const guest_image_start as u64
            }
        }
    };
}

programs! {
    Exceptions = guest_exceptions,
    OnTrap = guest_on_trap,
    OnInterrupt = guest_on_interrupt,
    OnProtection = guest_on_protection,
    OnPageFault = guest_on_page_fault,
    LongMode = guest_long_mode,
    PortInput = guest_port_input,
    Mmio = guest_mmio,
    Doorbells = guest_doorbells,
    Interrupt = guest_interrupt,
    ApicTimer = guest_apic_timer,
    WritePages = guest_write_pages,
    Count = guest_count,
    Remap = guest_remap,
    Int3Kernel = guest_int3_kernel,
    FwaitKernel = guest_fwait_kernel,
    XsaveKernel = guest_xsave_kernel,
    SmapToggle = guest_smap_toggle,
    ReadMsrs = guest_read_msrs,
    Swapgs = guest_swapgs,
    DescriptorTables = guest_descriptor_tables,
    ControlRegisters = guest_control_registers,
    CpuidKernel = guest_cpuid_kernel,
    Fsgsbase = guest_fsgsbase,
    Rdtscp = guest_rdtscp,
    Syscall = guest_syscall,
    Int3User = guest_int3_user,
    FwaitUser = guest_fwait_user,
    XsaveUser = guest_xsave_user,
    AvxUser = guest_avx_user,
    CpuidUser = guest_cpuid_user,
    ProtectionUser = guest_protection_user,
    PageFaultUser = guest_page_fault_user,
    Cmpxchg16bUser = guest_cmpxchg16b_user,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_lies_inside_the_image_which_fits_its_place() {
        let length = bytes().len() as u64;
        assert!(length <= crate::layout::CODE_SIZE, "{length}");
        for program in Program::ALL {
            assert!(program.offset() < length, "{program:?}");
            assert_eq!(program.offset() % 16, 0, "{program:?}");
        }
    }

    #[test]
    fn exception_stubs_are_16_bytes_apart() {
        let stubs = &bytes()[Program::Exceptions.offset() as usize..];
        for vector in 0..32u8 {
            // mov eax, vector
            assert_eq!(
                stubs[usize::from(vector) * 16..][..5],
                [0xb8, vector, 0, 0, 0]
            );
        }
    }
}
