//! An eventfd as a descriptor to wait for.

use std::os::fd::{AsRawFd, BorrowedFd};

use vmm_sys_util::eventfd::EventFd;

pub fn as_fd(event: &EventFd) -> BorrowedFd<'_> {
    // SAFETY: open for as long as the event is borrowed.
    unsafe { BorrowedFd::borrow_raw(event.as_raw_fd()) }
}
