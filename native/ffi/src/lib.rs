//! The C ABI that koffi loads (`native/src` is its only caller).
//!
//! Rules of this border, which `native/src/library.ts` relies on:
//! - every function returns 0 or an error's number and, in that case, fills the `ErrorOut` it was given;
//! - no panic crosses it, no callback goes back, nothing here runs longer than a system call that cannot wait;
//! - what may wait runs on a thread of this library and answers over a socket (`job`);
//! - buffers and strings belong to the caller and are not touched after the call has returned;
//! - descriptors that are given stay the caller's, descriptors that are returned become the caller's.

mod arguments;
mod calls;
mod error_out;
mod job;
mod jobs;

/// Version of everything in this crate that the TypeScript side can see. Raise it with any change of it.
pub const ABI_VERSION: u32 = 1;

#[unsafe(no_mangle)]
pub extern "C" fn wherry_abi_version() -> u32 {
    ABI_VERSION
}
