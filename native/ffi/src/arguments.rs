//! Arguments of C, turned into Rust's with every check that can be made.

use std::ffi::{CStr, c_char};
use std::os::fd::{BorrowedFd, OwnedFd};

use wherry_host::{Code, Error, Result};

/// # Safety
/// `text` must be null or a C string that outlives the returned borrow.
pub unsafe fn text<'a>(text: *const c_char) -> Result<&'a str> {
    if text.is_null() {
        return Err(invalid("a text is missing"));
    }
    // SAFETY: not null, and a C string by the contract of this function.
    unsafe { CStr::from_ptr(text) }
        .to_str()
        .map_err(|_| invalid("a text is not UTF-8"))
}

/// # Safety
/// `items` must be null or valid for reading `count` items that outlive the returned borrow.
pub unsafe fn slice<'a, T>(items: *const T, count: usize) -> Result<&'a [T]> {
    match (items.is_null(), count) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(invalid("an array is missing")),
        // SAFETY: not null, and valid for `count` items by the contract of this function.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(items, count) }),
    }
}

/// A descriptor of the caller's, for the time of the call.
pub fn descriptor<'a>(number: i32) -> Result<BorrowedFd<'a>> {
    if number < 0 {
        return Err(invalid(format!("{number} is no descriptor")));
    }
    // SAFETY: not -1. A number that is not open makes system calls fail with EBADF; the caller, a single thread that waits
    // for this call, cannot close it meanwhile.
    Ok(unsafe { BorrowedFd::borrow_raw(number) })
}

/// A copy of a descriptor of the caller's, for work that goes on after the call.
pub fn duplicate(number: i32) -> Result<OwnedFd> {
    descriptor(number)?
        .try_clone_to_owned()
        .map_err(|error| Error::of_io(format_args!("duplicating descriptor {number}"), &error))
}

pub fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::InvalidArgument, message)
}
