//! The few bytes where a BIOS would begin. Linux on a hardware-reduced board resets by EFI, and where there is none by jumping
//! there in real mode (`native_machine_emergency_restart`), without a try at ACPI's reset register. So it is written from there.

use vm_memory::{Bytes, GuestAddress};
use wherry_devices::memory::Ram;
use wherry_devices::power;

use crate::error::{OrFault, Result};
use crate::layout;

pub fn write(ram: &Ram) -> Result<()> {
    ram.write_slice(&code(), GuestAddress(layout::RESET_VECTOR))
        .or_fault("writing the reset vector")
}

fn code() -> [u8; 9] {
    let port = layout::POWER.start.saturating_add(power::RESET);
    let [low, high] = (port as u16).to_le_bytes();
    [
        0xba, // mov dx, port
        low,
        high,
        0xb0, // mov al, value
        power::RESET_VALUE,
        0xee, // out dx, al
        0xf4, // hlt
        0xeb, // jmp to the hlt
        0xfd,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::MIB;
    use crate::memory::Memory;

    #[test]
    fn the_reset_register_is_written_where_a_bios_would_begin() {
        let memory = Memory::new(4 * MIB).unwrap();
        write(memory.ram()).unwrap();
        let mut found = [0; 9];
        memory
            .ram()
            .read_slice(&mut found, GuestAddress(0xf_fff0))
            .unwrap();
        assert_eq!(found, *b"\xba\x02\x06\xb0\x01\xee\xf4\xeb\xfd");
    }
}
