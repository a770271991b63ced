//! The devices of the native engine, without KVM: what a guest can reach. Interrupts, doorbells and memory come in as traits
//! and handles, so that every device runs in a test with a driver beside it.
//!
//! Everything here reads what a guest wrote: no index, no unwrap and no arithmetic that could overflow (clippy refuses).
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

pub mod bus;
pub mod cmos;
pub mod event;
pub mod fuzzing;
pub mod i8042;
pub mod interrupt;
pub mod ioapic;
pub mod memory;
pub mod pci;
pub mod power;
pub mod pvpanic;
pub mod serial;
#[cfg(test)]
mod testing;
pub mod virtio;
