//! What of the optional instructions the guest's processor has.

use kvm_bindings::kvm_cpuid_entry2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    pub xsave: bool,
    pub avx: bool,
    pub smap: bool,
    pub fsgsbase: bool,
    pub rdtscp: bool,
    pub cmpxchg16b: bool,
    /// The leaves of KVM's own signature.
    pub kvm_signature: bool,
    /// What of x87, SSE and AVX may be switched on in xcr0.
    pub xcr0: u64,
}

impl Features {
    pub fn of(entries: &[kvm_cpuid_entry2]) -> Features {
        let find = |function: u32, index: u32| {
            entries
                .iter()
                .find(|entry| entry.function == function && entry.index == index)
                .copied()
                .unwrap_or_default()
        };
        let bit = |register: u32, number: u32| register >> number & 1 == 1;
        let (one, seven) = (find(1, 0), find(7, 0));
        let xsave = bit(one.ecx, 26);
        let xcr0 = if xsave {
            u64::from(find(0xd, 0).eax) & 7
        } else {
            0
        };
        Features {
            xsave,
            avx: bit(one.ecx, 28) && xcr0 == 7,
            smap: bit(seven.ebx, 20),
            fsgsbase: bit(seven.ebx, 0),
            rdtscp: bit(find(0x8000_0001, 0).edx, 27),
            cmpxchg16b: bit(one.ecx, 13),
            kvm_signature: find(0x4000_0000, 0).ebx == u32::from_le_bytes(*b"KVMK"),
            xcr0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(function: u32, eax: u32, ebx: u32, ecx: u32, edx: u32) -> kvm_cpuid_entry2 {
        kvm_cpuid_entry2 {
            function,
            eax,
            ebx,
            ecx,
            edx,
            ..Default::default()
        }
    }

    #[test]
    fn a_processor_without_leaves_has_nothing() {
        assert_eq!(Features::of(&[]), Features::default());
    }

    #[test]
    fn features_are_read_from_their_bits() {
        let all = [
            leaf(1, 0, 0, 1 << 26 | 1 << 28 | 1 << 13, 0),
            leaf(7, 0, 1 << 20 | 1, 0, 0),
            leaf(0xd, 0x207, 0, 0, 0),
            leaf(0x8000_0001, 0, 0, 0, 1 << 27),
            leaf(0x4000_0000, 0, 0x4b4d_564b, 0, 0),
        ];
        let features = Features::of(&all);
        assert!(features.xsave && features.avx && features.smap && features.fsgsbase);
        assert!(features.rdtscp && features.cmpxchg16b && features.kvm_signature);
        assert_eq!(features.xcr0, 7);
    }

    #[test]
    fn avx_without_its_state_does_not_count() {
        let entries = [leaf(1, 0, 0, 1 << 26 | 1 << 28, 0), leaf(0xd, 3, 0, 0, 0)];
        let features = Features::of(&entries);
        assert!(features.xsave && !features.avx);
        assert_eq!(features.xcr0, 3);
    }
}
