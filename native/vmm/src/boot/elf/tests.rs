use super::*;
use crate::boot::testing::{elf, kernel, load as segment, pvh_note};
use crate::layout::MIB;
use crate::memory::Memory;

fn loaded(bytes: &[u8]) -> (Result<Loaded>, Memory) {
    let memory = Memory::new(32 * MIB).unwrap();
    let result = load(&mut &bytes[..], memory.ram());
    (result, memory)
}

fn refusal(bytes: &[u8]) -> String {
    loaded(bytes).0.unwrap_err().to_string()
}

fn read(memory: &Memory, address: u64) -> u8 {
    memory.ram().read_obj(GuestAddress(address)).unwrap()
}

#[test]
fn segments_go_where_they_belong_and_the_entry_is_the_notes() {
    let (result, memory) = loaded(&kernel(0x10_0042));
    let loaded = result.unwrap();
    assert_eq!(loaded.entry, 0x10_0042);
    assert_eq!(loaded.end, 0x20_0000 + 20);
    assert_eq!(
        [0x0f_ffff, 0x10_0000, 0x10_0fff, 0x10_1000].map(|at| read(&memory, at)),
        [0, 0xaa, 0xaa, 0]
    );
}

#[test]
fn what_a_segment_has_beyond_its_file_is_zeros() {
    let mut data = segment(0x30_0000, &[1; 16]);
    data.in_memory = 0x1000;
    let mut bytes = kernel(1);
    bytes = elf(&[segment(0x10_0000, &bytes[..1]), data]);
    let (_, memory) = loaded(&bytes);
    assert_eq!(read(&memory, 0x30_000f), 1);
    assert_eq!(read(&memory, 0x30_0010), 0);
}

#[test]
fn a_kernel_without_the_note_is_refused_by_name() {
    assert!(refusal(&elf(&[segment(0x10_0000, &[1])])).contains("CONFIG_PVH"));
}

#[test]
fn segments_outside_the_guests_memory_are_refused() {
    for (address, in_memory) in [
        (0, 0x1000),
        (0xf_f000, 0x1000),
        (32 * MIB, 1),
        (32 * MIB - 1, 2),
        (u64::MAX, 2),
        (0x10_0000, u64::MAX),
    ] {
        let mut wide = segment(address, &[1]);
        wide.in_memory = in_memory;
        let text = refusal(&elf(&[wide]));
        assert!(text.contains("do not fit"), "{address:#x}: {text}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let whole = kernel(0x10_0000);
    for length in 0..whole.len() {
        assert!(loaded(&whole[..length]).0.is_err(), "{length}");
    }
}

#[test]
fn other_files_are_refused() {
    for (at, value) in [(0, 0), (4, 1), (5, 2), (18, 3), (54, 55), (56, 255)] {
        let mut bytes = kernel(0x10_0000);
        bytes[at] = value;
        assert!(loaded(&bytes).0.is_err(), "{at}");
    }
}

#[test]
fn any_byte_of_the_headers_may_be_anything() {
    let whole = kernel(0x10_0000);
    for at in 0..64 + 56 * 3 {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let _ = loaded(&bytes);
        }
    }
}

#[test]
fn notes_that_lie_about_their_lengths_end_the_search() {
    assert_eq!(pvh_entry(&pvh_note(7)), Some(7));
    let mut other = vec![0; 12];
    other[8] = 18;
    other.extend(pvh_note(9));
    assert_eq!(pvh_entry(&other), Some(9));
    for at in 0..12 {
        let mut note = pvh_note(7);
        note[at] = 0xff;
        assert_eq!(pvh_entry(&note), None, "{at}");
    }
    for length in 0..20 {
        assert_eq!(pvh_entry(&pvh_note(7)[..length]), None);
    }
}
