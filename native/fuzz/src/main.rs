//! libFuzzer with the target that `WHERRY_FUZZ_TARGET` names: one program for all, so that it is linked once.
#![no_main]

use std::sync::OnceLock;

use wherry_fuzz::{Target, find};

static TARGET: OnceLock<&Target> = OnceLock::new();

fn choose() {
    let name = std::env::var("WHERRY_FUZZ_TARGET").unwrap_or_default();
    let Some(target) = find(&name) else {
        eprintln!("WHERRY_FUZZ_TARGET={name:?} names no target");
        std::process::exit(2);
    };
    let _ = TARGET.set(target);
}

libfuzzer_sys::fuzz_target!(init: choose(), |bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        (target.run)(bytes);
    }
});
