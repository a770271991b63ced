//! The real binary with a scripted engine, and with QEMU where it is installed.

mod boot_sector;
mod console;
mod dhcp;
mod ends;
mod harness;
mod hostile_engine;
mod peers;
mod qemu;
mod start;
