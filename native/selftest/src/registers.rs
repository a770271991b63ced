//! The special registers of a processor in 64-bit mode.

use kvm_bindings::{kvm_segment, kvm_sregs};

use crate::features::Features;
use crate::layout;

/// 64-bit mode at CPL 0 with paging, the tables of `layout`, and no feature on that the processor lacks.
pub fn long_mode(mut sregs: kvm_sregs, features: Features) -> kvm_sregs {
    const CR0: u64 = 0x8001_0033; // PG, WP, NE, ET, MP, PE
    const CR4: u64 = 0x620; // OSXMMEXCPT, OSFXSR, PAE
    const CR4_FSGSBASE: u64 = 1 << 16;
    const CR4_OSXSAVE: u64 = 1 << 18;
    const EFER: u64 = 0x500; // LMA, LME
    let segment = |selector: u16, type_: u8, long: bool| kvm_segment {
        limit: u32::MAX,
        selector,
        type_,
        present: 1,
        db: u8::from(!long),
        s: 1,
        l: u8::from(long),
        g: 1,
        ..Default::default()
    };
    sregs.cs = segment(layout::KERNEL_CODE, 0xb, true);
    let data = segment(layout::KERNEL_DATA, 0x3, false);
    (sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss) = (data, data, data, data, data);
    sregs.tr = kvm_segment {
        base: layout::TSS,
        limit: layout::TSS_LIMIT.into(),
        selector: layout::TASK,
        type_: 0xb,
        present: 1,
        ..Default::default()
    };
    sregs.ldt = kvm_segment {
        unusable: 1,
        type_: 2,
        ..Default::default()
    };
    (sregs.gdt.base, sregs.gdt.limit) = (layout::GDT, layout::GDT_LIMIT);
    (sregs.idt.base, sregs.idt.limit) = (layout::IDT, layout::IDT_LIMIT);
    sregs.cr0 = CR0;
    sregs.cr3 = layout::page_table_root();
    sregs.cr4 = CR4;
    if features.fsgsbase {
        sregs.cr4 |= CR4_FSGSBASE;
    }
    if features.xsave {
        sregs.cr4 |= CR4_OSXSAVE;
    }
    sregs.cr8 = 0;
    sregs.efer = EFER;
    sregs.interrupt_bitmap = [0; 4];
    sregs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_features_are_switched_on_only_where_present() {
        let bare = long_mode(kvm_sregs::default(), Features::default());
        assert_eq!(
            (bare.cr4, bare.efer, bare.cr3),
            (0x620, 0x500, layout::page_table_root())
        );
        let all = Features {
            xsave: true,
            fsgsbase: true,
            ..Features::default()
        };
        assert_eq!(long_mode(kvm_sregs::default(), all).cr4, 0x5_0620);
    }

    #[test]
    fn what_the_registers_held_before_is_overwritten() {
        let before = kvm_sregs {
            cr8: 5,
            interrupt_bitmap: [1; 4],
            efer: 1,
            ..Default::default()
        };
        let after = long_mode(before, Features::default());
        assert_eq!(
            (after.cr8, after.interrupt_bitmap, after.efer),
            (0, [0; 4], 0x500)
        );
        assert_eq!((after.cs.l, after.cs.db, after.ss.db), (1, 0, 1));
    }
}
