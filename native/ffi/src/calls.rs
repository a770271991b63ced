//! The calls that answer at once.

use std::ffi::c_char;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::path::Path;

use wherry_host::{Result, device, dir, kvm, process, unix};

use crate::arguments::{descriptor, invalid, slice, text};
use crate::error_out::{ErrorOut, border};

/// What `wherry_connect_unix` returns.
#[repr(C)]
pub struct ConnectionOut {
    pub fd: i32,
    pub pid: i32,
    pub uid: u32,
    pub gid: u32,
}

const _: () = assert!(size_of::<ConnectionOut>() == 16);

fn raw(fd: OwnedFd) -> i32 {
    fd.into_raw_fd()
}

/// # Safety
/// `path` is a C string; `fd` and `error` are valid for writing, here and in every function below.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_open_dir(
    path: *const c_char,
    fd: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe { border(fd, error, || dir::open_dir(Path::new(text(path)?)).map(raw)) }
}

/// # Safety
/// As `wherry_open_dir`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_open_dir_at(
    dir: i32,
    path: *const c_char,
    fd: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe {
        border(fd, error, || {
            dir::open_dir_at(descriptor(dir)?, text(path)?).map(raw)
        })
    }
}

/// Stores 1 if the name is there, else 0.
///
/// # Safety
/// As `wherry_open_dir`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_exists_at(
    dir: i32,
    name: *const c_char,
    there: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe {
        border(there, error, || {
            dir::exists_at(descriptor(dir)?, text(name)?).map(i32::from)
        })
    }
}

/// # Safety
/// As `wherry_open_dir`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_connect_unix(
    dir: i32,
    name: *const c_char,
    connection: *mut ConnectionOut,
    error: *mut ErrorOut,
) -> u32 {
    let connect = || -> Result<ConnectionOut> {
        // SAFETY: the caller's contract.
        let name = unsafe { text(name) }?;
        let (socket, peer) = unix::connect(descriptor(dir)?, name)?;
        Ok(ConnectionOut {
            fd: raw(socket),
            pid: peer.pid,
            uid: peer.uid,
            gid: peer.gid,
        })
    };
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe { border(connection, error, connect) }
}

/// # Safety
/// As `wherry_open_dir`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_peer_pidfd(
    socket: i32,
    pidfd: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe {
        border(pidfd, error, || {
            unix::peer_pidfd(descriptor(socket)?).map(raw)
        })
    }
}

/// A start time of 0 means any.
///
/// # Safety
/// As `wherry_open_dir`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_pidfd_open(
    pid: i32,
    start_time: u64,
    pidfd: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    let start_time = (start_time != 0).then_some(start_time);
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe {
        border(pidfd, error, || {
            process::pidfd_open(pid, start_time).map(raw)
        })
    }
}

/// Stores 1 while the process lives, else 0.
///
/// # Safety
/// As `wherry_open_dir`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_pidfd_alive(
    pidfd: i32,
    alive: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe {
        border(alive, error, || {
            process::is_alive(descriptor(pidfd)?).map(i32::from)
        })
    }
}

/// # Safety
/// As `wherry_open_dir`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_netns_of(
    pid: i32,
    pidfd: i32,
    netns: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe {
        border(netns, error, || {
            process::netns_of(pid, descriptor(pidfd)?).map(raw)
        })
    }
}

/// # Safety
/// As `wherry_open_dir`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_open_device(
    path: *const c_char,
    fd: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe { border(fd, error, || device::open(text(path)?).map(raw)) }
}

/// Opens /dev/kvm, stores the answer to KVM_CHECK_EXTENSION for each of `count` capabilities, and closes it.
///
/// # Safety
/// As `wherry_open_dir`; `capabilities` is valid for reading and `values` for writing `count` items, and they do not overlap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_kvm(
    capabilities: *const u32,
    values: *mut i32,
    count: u32,
    api_version: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    let probe = || -> Result<i32> {
        let kvm = device::open("/dev/kvm")?;
        let version = kvm::api_version(&kvm)?;
        if values.is_null() {
            return Err(invalid("no place for the values"));
        }
        // SAFETY: the caller's contract.
        for (at, capability) in unsafe { slice(capabilities, count as usize) }?
            .iter()
            .enumerate()
        {
            let value = kvm::check_extension(&kvm, *capability)?;
            // SAFETY: `at` is below `count`, for which `values` is valid.
            unsafe { values.add(at).write(value) };
        }
        Ok(version)
    };
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe { border(api_version, error, probe) }
}

/// Closes a descriptor that this library made. The three standard ones are refused.
///
/// # Safety
/// As `wherry_open_dir`; nobody else may use or close the descriptor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_close(fd: i32, closed: *mut i32, error: *mut ErrorOut) -> u32 {
    let close = || -> Result<i32> {
        if fd <= 2 {
            return Err(invalid(format!(
                "descriptor {fd} is not this library's to close"
            )));
        }
        // Asked first: closing what is not open would abort in debug builds of the standard library.
        // SAFETY: F_GETFD takes no pointer.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            return Err(invalid(format!("descriptor {fd} is not open")));
        }
        // SAFETY: open, and the caller gives it up by this call.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
        Ok(1)
    };
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe { border(closed, error, close) }
}
