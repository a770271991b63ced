//! What the numbers mean that the programs of `guest/*.s` end with.

/// The sentence behind a program's number.
pub fn meaning(number: u32) -> Option<&'static str> {
    Some(match number {
        10 => "push, call and pop lost a value",
        11 => "64-bit arithmetic is wrong",
        20 => "a port was read wrongly (4 bytes)",
        21 => "a port was read wrongly (1 byte)",
        30 => "MMIO was read wrongly (4 bytes)",
        31 => "MMIO was read wrongly (1 byte)",
        80 => "a vector register did not survive",
        90 => "a new page table entry is not used",
        91 => "a changed page table entry is not used after invlpg",
        92 => "a changed page table entry is not used after a write to cr3",
        100 => "int3 did not reach its handler at CPL 0",
        110 => "x87 arithmetic with fwait is wrong at CPL 0",
        120 => "xgetbv does not show what xsetbv set",
        121 => "xsave and xrstor lost a register at CPL 0",
        130 => "stac did not set AC",
        131 => "clac did not clear AC",
        150 => "swapgs did not change the GS base",
        151 => "swapgs did not keep the old GS base",
        160 => "str shows another task",
        161 => "a far return did not load its code segment",
        170 => "clts did not clear TS",
        171 => "cr8 does not keep its value",
        180 => "cpuid at CPL 0 does not show KVM's signature",
        190 => "rdfsbase does not show what wrfsbase set",
        191 => "the FS base MSR does not show what wrfsbase set",
        195 => "rdtscp does not show TSC_AUX",
        200 => "sysret did not come back to CPL 3",
        201 => "syscall did not reach its handler",
        202 => "syscall and sysret changed the stack pointer",
        203 => "syscall arrived without the change to CPL 0",
        204 => "syscall left a wrong return address",
        210 => "int3 did not reach its handler from CPL 3",
        211 => "int3 from CPL 3 changed the stack pointer",
        212 => "int3 did not come back to CPL 3",
        220 => "x87 arithmetic with fwait is wrong at CPL 3",
        230 => "xsave and xrstor lost a register at CPL 3",
        235 => "AVX arithmetic is wrong at CPL 3",
        240 => "cpuid at CPL 3 does not show KVM's signature",
        250 => "hlt is allowed at CPL 3",
        251 => "a protection fault has a wrong error code",
        252 => "a protection fault shows a wrong code segment",
        260 => "CPL 3 can read a page of CPL 0",
        261 => "a page fault has a wrong error code",
        262 => "a page fault shows a wrong address in cr2",
        270 => "cmpxchg16b did not find what is there",
        271 => "cmpxchg16b did not write",
        300 => "iretq did not reach CPL 3",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_programs_has_a_meaning_of_its_own() {
        let source = [
            include_str!("guest/shared.s"),
            include_str!("guest/machine.s"),
            include_str!("guest/kernel.s"),
            include_str!("guest/user.s"),
        ]
        .concat();
        let mut seen = Vec::new();
        for line in source.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [name, number] = words[..]
                && (["expect_equal", "finish"].contains(&name) || name.starts_with("check_"))
                && let Ok(number) = number.parse::<u32>()
                && number != 1
            {
                let sentence = meaning(number).unwrap_or_else(|| panic!("{number} has no meaning"));
                assert!(!seen.contains(&sentence), "{number}: {sentence}");
                seen.push(sentence);
            }
        }
        assert!(seen.len() > 40, "{}", seen.len());
    }
}
