//! What a guest's CPU says of itself: what KVM supports, made true for this vCPU of this machine.

use kvm_bindings::{CpuId, kvm_cpuid_entry2};

use crate::error::{OrFault, Result};

const FEATURES: u32 = 1;
const CACHES: u32 = 4;
const TOPOLOGY: u32 = 0xb;
const TOPOLOGY_V2: u32 = 0x1f;
const THERMAL: u32 = 6;
const PERFORMANCE: u32 = 0xa;
const HYPERVISOR: u32 = 0x4000_0000;
const KVM_FEATURES: u32 = 0x4000_0001;
const EXTENDED_FEATURES: u32 = 0x8000_0001;
const ADDRESS_SIZES: u32 = 0x8000_0008;
const SVM: u32 = 0x8000_000a;
const AMD_CACHES: u32 = 0x8000_001d;
const AMD_TOPOLOGY: u32 = 0x8000_001e;
const AMD_TOPOLOGY_V2: u32 = 0x8000_0026;

/// Bits of leaf 1, ECX.
const VMX: u32 = 1 << 5;
const X2APIC: u32 = 1 << 21;
const TSC_DEADLINE: u32 = 1 << 24;
const ON_A_HYPERVISOR: u32 = 1 << 31;
/// Of leaf 1, EDX.
const SEVERAL_LOGICAL: u32 = 1 << 28;
/// Of leaf 0x80000001, ECX.
const SVM_FEATURE: u32 = 1 << 2;
const TOPOLOGY_EXTENSIONS: u32 = 1 << 22;

/// Levels of leaf 0xb.
const THREADS: u32 = 1;
const CORES: u32 = 2;

/// What the topology leaves say: one socket of cores that have one thread each.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Also its APIC id.
    pub cpu: u8,
    pub cpus: u8,
    /// KVM can time by the TSC-deadline timer.
    pub tsc_deadline: bool,
}

/// The table for one vCPU.
pub fn normalise(supported: &CpuId, place: Place) -> Result<CpuId> {
    let mut entries: Vec<kvm_cpuid_entry2> = supported
        .as_slice()
        .iter()
        .filter(|entry| !is_topology(entry.function))
        .copied()
        .collect();
    let has_levels = supported
        .as_slice()
        .iter()
        .any(|it| it.function == TOPOLOGY);
    for entry in &mut entries {
        adjust(entry, place);
    }
    if has_levels {
        entries.extend(levels(TOPOLOGY, place));
    }
    CpuId::from_entries(&entries).or_fault("making a CPUID table")
}

/// Physical address bits.
pub fn address_bits(supported: &CpuId) -> u8 {
    let sizes = supported
        .as_slice()
        .iter()
        .find(|entry| entry.function == ADDRESS_SIZES);
    // What is promised where the leaf is missing.
    sizes.map_or(36, |entry| (entry.eax & 0xff) as u8)
}

/// Leaves that are made anew, or that would tell of the host's topology.
fn is_topology(function: u32) -> bool {
    matches!(
        function,
        TOPOLOGY | TOPOLOGY_V2 | AMD_TOPOLOGY | AMD_TOPOLOGY_V2
    )
}

fn adjust(entry: &mut kvm_cpuid_entry2, place: Place) {
    match entry.function {
        FEATURES => {
            let id = u32::from(place.cpu) << 24;
            // The field has 8 bits, and leaf 0xb the truth.
            let count = u32::from(place.cpus).next_power_of_two().min(255) << 16;
            entry.ebx = entry.ebx & 0x0000_ffff | id | count;
            entry.ecx |= ON_A_HYPERVISOR | X2APIC;
            entry.ecx &= !(VMX | TSC_DEADLINE);
            entry.ecx |= if place.tsc_deadline { TSC_DEADLINE } else { 0 };
            entry.edx &= !SEVERAL_LOGICAL;
            entry.edx |= if place.cpus > 1 { SEVERAL_LOGICAL } else { 0 };
        }
        CACHES => caches(entry, place),
        // No sensors, no energy preferences.
        THERMAL => (entry.eax, entry.ebx, entry.ecx) = (1 << 2 & entry.eax, 0, 0),
        // Counters of one host do not move to another.
        PERFORMANCE | SVM => clear(entry),
        HYPERVISOR => entry.eax = KVM_FEATURES,
        EXTENDED_FEATURES => entry.ecx &= !(SVM_FEATURE | TOPOLOGY_EXTENSIONS),
        // Threads in this package, and the bits of an id that count them.
        ADDRESS_SIZES => {
            let bits = u32::from(place.cpus).next_power_of_two().trailing_zeros();
            entry.ecx = bits << 12 | u32::from(place.cpus).saturating_sub(1);
        }
        AMD_CACHES => clear(entry),
        _ => {}
    }
}

/// Intel's caches: those up to the second level belong to one core, the third to all.
fn caches(entry: &mut kvm_cpuid_entry2, place: Place) {
    let level = entry.eax >> 5 & 7;
    if entry.eax & 0x1f == 0 {
        return;
    }
    let all = u32::from(place.cpus).next_power_of_two();
    let sharing = if level >= 3 { all } else { 1 };
    entry.eax &= 0x0000_3fff;
    entry.eax |= sharing.saturating_sub(1) << 14 | all.saturating_sub(1) << 26;
}

fn clear(entry: &mut kvm_cpuid_entry2) {
    (entry.eax, entry.ebx, entry.ecx, entry.edx) = (0, 0, 0, 0);
}

/// Threads, cores, end.
fn levels(function: u32, place: Place) -> [kvm_cpuid_entry2; 3] {
    const INDEX_MATTERS: u32 = 1;
    let cpus = u32::from(place.cpus);
    let core_bits = cpus.next_power_of_two().trailing_zeros();
    let level = |index: u32, bits: u32, count: u32, kind: u32| kvm_cpuid_entry2 {
        function,
        index,
        flags: INDEX_MATTERS,
        eax: bits,
        ebx: count,
        ecx: kind << 8 | index,
        edx: u32::from(place.cpu),
        ..Default::default()
    };
    [
        level(0, 0, 1, THREADS),
        level(1, core_bits, cpus, CORES),
        level(2, 0, 0, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(function: u32) -> kvm_cpuid_entry2 {
        kvm_cpuid_entry2 {
            function,
            eax: u32::MAX,
            ebx: u32::MAX,
            ecx: u32::MAX,
            edx: u32::MAX,
            ..Default::default()
        }
    }

    fn table(functions: &[u32]) -> CpuId {
        let entries: Vec<_> = functions.iter().copied().map(entry).collect();
        CpuId::from_entries(&entries).unwrap()
    }

    fn place(cpu: u8, cpus: u8) -> Place {
        Place {
            cpu,
            cpus,
            tsc_deadline: true,
        }
    }

    fn of(functions: &[u32], place: Place) -> Vec<kvm_cpuid_entry2> {
        let table = normalise(&table(functions), place).unwrap();
        table.as_slice().to_vec()
    }

    #[test]
    fn each_vcpu_has_its_own_apic_id_everywhere() {
        for (cpu, cpus) in [(0, 1), (1, 2), (2, 3), (253, 254)] {
            let table = of(&[FEATURES, TOPOLOGY], place(cpu, cpus));
            assert_eq!(table[0].ebx >> 24, u32::from(cpu));
            let levels: Vec<_> = table[1..].iter().map(|it| it.edx).collect();
            assert_eq!(levels, [u32::from(cpu); 3]);
        }
    }

    #[test]
    fn the_topology_is_one_socket_of_single_threads() {
        let table = of(&[TOPOLOGY, TOPOLOGY_V2], place(1, 3));
        let seen: Vec<_> = table
            .iter()
            .map(|it| (it.function, it.index, it.eax, it.ebx, it.ecx))
            .collect();
        assert_eq!(
            seen,
            [
                (0xb, 0, 0, 1, 0x100),
                (0xb, 1, 2, 3, 0x201),
                (0xb, 2, 0, 0, 2)
            ]
        );
    }

    #[test]
    fn no_guest_virtualises_or_reads_the_hosts_counters() {
        let table = of(
            &[FEATURES, PERFORMANCE, SVM, EXTENDED_FEATURES, THERMAL],
            place(0, 1),
        );
        assert_eq!(table[0].ecx & VMX, 0);
        assert_eq!((table[1].eax, table[1].edx), (0, 0));
        assert_eq!(table[2].eax, 0);
        assert_eq!(table[3].ecx & SVM_FEATURE, 0);
        assert_eq!((table[4].eax, table[4].ecx), (4, 0));
    }

    #[test]
    fn the_deadline_timer_is_shown_where_kvm_has_it() {
        for tsc_deadline in [false, true] {
            let place = Place {
                tsc_deadline,
                ..place(0, 1)
            };
            let shown = of(&[FEATURES], place)[0].ecx & TSC_DEADLINE != 0;
            assert_eq!(shown, tsc_deadline);
        }
    }

    #[test]
    fn the_hypervisor_is_shown_and_is_kvm_alone() {
        let table = of(&[FEATURES, HYPERVISOR], place(0, 1));
        assert_ne!(table[0].ecx & ON_A_HYPERVISOR, 0);
        assert_eq!(table[1].eax, KVM_FEATURES);
    }

    #[test]
    fn the_last_cache_is_shared_by_all() {
        let mut second = entry(CACHES);
        second.eax = 2 << 5 | 1;
        let mut third = entry(CACHES);
        third.eax = 3 << 5 | 1;
        caches(&mut second, place(0, 3));
        caches(&mut third, place(0, 3));
        assert_eq!(second.eax >> 14 & 0xfff, 0);
        assert_eq!(third.eax >> 14 & 0xfff, 3);
        assert_eq!(third.eax >> 26, 3);
    }

    #[test]
    fn address_bits_come_from_their_leaf() {
        let mut sizes = entry(ADDRESS_SIZES);
        sizes.eax = 0x3028;
        let table = CpuId::from_entries(&[sizes]).unwrap();
        assert_eq!(address_bits(&table), 40);
        assert_eq!(address_bits(&CpuId::new(0).unwrap()), 36);
    }
}
