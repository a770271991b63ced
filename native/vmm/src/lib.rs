//! The native engine: one process that runs one Linux guest on KVM. `docs/design/20261126-native-engine.md` has its threads,
//! memory map and protocol.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod acpi;
pub mod boot;
pub mod config;
pub mod control;
pub mod cpu;
pub mod devices;
pub mod engine;
pub mod error;
pub mod kvm;
pub mod layout;
pub mod machine;
pub mod memory;
pub mod sandbox;
