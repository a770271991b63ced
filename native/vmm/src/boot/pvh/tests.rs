use super::*;
use crate::boot::testing::{file, kernel};
use crate::layout::{GIB, MIB};
use crate::memory::Memory;

fn boot(initrd: Option<&[u8]>) -> Boot {
    Boot {
        kernel: file(&kernel(0x10_0000)),
        initrd: initrd.map(file),
        command_line: "console=ttyS0".into(),
    }
}

fn word(memory: &Memory, address: u64) -> u64 {
    memory.ram().read_obj(GuestAddress(address)).unwrap()
}

fn half(memory: &Memory, address: u64) -> u32 {
    memory.ram().read_obj(GuestAddress(address)).unwrap()
}

#[test]
fn start_info_leads_to_everything() {
    let memory = Memory::new(64 * MIB).unwrap();
    let initrd = vec![0x5a; 10_000];
    let entry = boot(Some(&initrd)).load(memory.ram(), 0xe_0000).unwrap();
    assert_eq!(entry, 0x10_0000);
    let info = layout::START_INFO;
    assert_eq!(half(&memory, info), MAGIC);
    assert_eq!([4, 8, 12].map(|at| half(&memory, info + at)), [1, 0, 1]);
    assert_eq!(word(&memory, info + 32), 0xe_0000);
    let module = word(&memory, info + 16);
    let (address, size) = (word(&memory, module), word(&memory, module + 8));
    assert_eq!((address, size), (64 * MIB - 0x3000, 10_000));
    let last: u8 = memory
        .ram()
        .read_obj(GuestAddress(address + size - 1))
        .unwrap();
    assert_eq!(last, 0x5a);
    let mut text = [0; 14];
    let command_line = GuestAddress(word(&memory, info + 24));
    memory.ram().read_slice(&mut text, command_line).unwrap();
    assert_eq!(&text, b"console=ttyS0\0");
}

#[test]
fn a_guest_without_an_initrd_has_no_module() {
    let memory = Memory::new(64 * MIB).unwrap();
    boot(None).load(memory.ram(), 0).unwrap();
    assert_eq!(half(&memory, layout::START_INFO + 12), 0);
    assert_eq!(word(&memory, layout::START_INFO + 16), 0);
}

#[test]
fn the_memory_map_has_all_of_ram_and_nothing_twice() {
    for size in [64 * MIB, 3 * GIB, 5 * GIB] {
        let memory = Memory::new(size).unwrap();
        let map = memory_map(memory.ram());
        assert!(
            map.windows(2)
                .all(|pair| pair[0].0 + pair[0].1 <= pair[1].0)
        );
        let usable: u64 = map.iter().filter(|it| it.2 == 1).map(|it| it.1).sum();
        assert_eq!(usable, size - MIB + layout::LOW_RAM_END);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let memory = Memory::new(32 * MIB).unwrap();
    let large = vec![0; 31 * MIB as usize];
    let text = boot(Some(&large)).load(memory.ram(), 0).unwrap_err();
    assert!(text.to_string().contains("do not fit"));
    let long = Boot {
        command_line: "x".repeat(2048),
        ..boot(None)
    };
    let text = long.load(memory.ram(), 0).unwrap_err();
    assert!(text.to_string().contains("longer than 2047"));
}

#[test]
fn a_file_that_is_no_kernel_is_refused() {
    let memory = Memory::new(32 * MIB).unwrap();
    for bytes in [&b""[..], b"#!/bin/sh", &[0; 4096]] {
        let boot = Boot {
            kernel: file(bytes),
            ..boot(None)
        };
        let text = boot.load(memory.ram(), 0).unwrap_err();
        assert!(text.to_string().contains("neither an ELF"));
    }
}
