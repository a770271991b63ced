//! The calls that may wait: for a launcher, or for the kernel's network configuration lock. Each stores the descriptor of its
//! answer (`job`); bodies are the peer's frame or JSON.

use std::ffi::c_char;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::time::Duration;

use serde_json::{Value, json};
use wherry_host::{Result, block, dhcp_socket, hand_over, link, netns, tap};

use crate::arguments::{duplicate, invalid, slice, text};
use crate::error_out::{ErrorOut, border};
use crate::job;

/// `peer_uid` below 0 means any. Frame and descriptors are copied before this returns.
///
/// # Safety
/// `name` is a C string; `frame` and `descriptors` are valid for reading so many items; `answer` and `error` for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_hand_over(
    dir: i32,
    name: *const c_char,
    frame: *const u8,
    frame_length: u32,
    descriptors: *const i32,
    descriptor_count: u32,
    peer_uid: i64,
    timeout_ms: u32,
    answer: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    let begin = || -> Result<i32> {
        let dir = duplicate(dir)?;
        // SAFETY: the caller's contract.
        let name = unsafe { text(name) }?.to_owned();
        // SAFETY: the caller's contract.
        let frame = unsafe { slice(frame, frame_length as usize) }?.to_vec();
        // SAFETY: the caller's contract.
        let numbers = unsafe { slice(descriptors, descriptor_count as usize) }?;
        let owned = numbers
            .iter()
            .map(|number| duplicate(*number))
            .collect::<Result<Vec<OwnedFd>>>()?;
        let peer_uid = optional_uid(peer_uid)?;
        job::start(move || {
            let descriptors: Vec<BorrowedFd<'_>> = owned.iter().map(AsFd::as_fd).collect();
            let timeout = Duration::from_millis(timeout_ms.into());
            let request = hand_over::Request {
                name: &name,
                frame: &frame,
                descriptors: &descriptors,
                peer_uid,
                timeout,
            };
            hand_over::hand_over(&dir, &request)
        })
    };
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe { border(answer, error, begin) }
}

/// Answers `{"tapFd", "mtu"}`. `owner` below 0 means nobody.
///
/// # Safety
/// `name` and `address` are C strings; `answer` and `error` are valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_set_up_tap(
    netns: i32,
    name: *const c_char,
    address: *const c_char,
    prefix_length: u32,
    mtu: u32,
    owner: i64,
    answer: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    let begin = || -> Result<i32> {
        // SAFETY: the caller's contract.
        let (name, address) = unsafe { (text(name)?.to_owned(), text(address)?) };
        let address: Ipv4Addr = address
            .parse()
            .map_err(|_| invalid(format!("{address:?} is no IPv4 address")))?;
        let prefix_length = u8::try_from(prefix_length)
            .map_err(|_| invalid(format!("{prefix_length} is no prefix length")))?;
        let options = tap::Options {
            name,
            address,
            prefix_length,
            mtu,
            owner: optional_uid(owner)?,
        };
        start_in(netns, move || {
            let tap = tap::set_up(&options)?;
            Ok(json!({"mtu": tap.mtu, "tapFd": tap.fd.into_raw_fd()}))
        })
    };
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe { border(answer, error, begin) }
}

/// Answers `{"removed"}`.
///
/// # Safety
/// `name` is a C string; `answer` and `error` are valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_remove_tap(
    netns: i32,
    name: *const c_char,
    answer: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    let work = |name: &str| Ok(json!({"removed": tap::remove(name)?}));
    // SAFETY: the caller's contract.
    unsafe { by_name(netns, name, answer, error, work) }
}

/// Answers `{"fd"}`.
///
/// # Safety
/// `device` is a C string; `answer` and `error` are valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_open_dhcp_socket(
    netns: i32,
    device: *const c_char,
    answer: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    let work = |device: &str| Ok(json!({"fd": dhcp_socket::open(device)?.into_raw_fd()}));
    // SAFETY: the caller's contract.
    unsafe { by_name(netns, device, answer, error, work) }
}

/// Answers with `BlockDevice` of `native/src/host.ts`. The flags are 0 or 1.
///
/// # Safety
/// `path` is a C string; `answer` and `error` are valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_open_block_device(
    pid: i32,
    pidfd: i32,
    path: *const c_char,
    read_only: u32,
    direct: u32,
    answer: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    let begin = || -> Result<i32> {
        let pidfd = duplicate(pidfd)?;
        // SAFETY: the caller's contract.
        let path = unsafe { text(path) }?.to_owned();
        let options = block::Options {
            read_only: read_only != 0,
            direct: direct != 0,
        };
        job::start(move || {
            let device = block::open_in(pid, &pidfd, &path, options)?;
            let answer = json!({
                "bytes": device.bytes,
                "logical": device.logical,
                "physical": device.physical,
                "fd": device.fd.into_raw_fd(),
            });
            Ok(answer.to_string().into_bytes())
        })
    };
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe { border(answer, error, begin) }
}

/// Answers with `LinkInfo` of `native/src/host.ts`.
///
/// # Safety
/// `device` is a C string; `answer` and `error` are valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wherry_link_info(
    netns: i32,
    device: *const c_char,
    answer: *mut i32,
    error: *mut ErrorOut,
) -> u32 {
    let work = |device: &str| Ok(link_json(&link::read(device)?));
    // SAFETY: the caller's contract.
    unsafe { by_name(netns, device, answer, error, work) }
}

/// # Safety
/// `name` is a C string; `answer` and `error` are valid for writing.
unsafe fn by_name(
    netns: i32,
    name: *const c_char,
    answer: *mut i32,
    error: *mut ErrorOut,
    work: fn(&str) -> Result<Value>,
) -> u32 {
    let begin = || -> Result<i32> {
        // SAFETY: the caller's contract.
        let name = unsafe { text(name) }?.to_owned();
        start_in(netns, move || work(&name))
    };
    // SAFETY: the caller's contract; pointers come straight from it.
    unsafe { border(answer, error, begin) }
}

fn start_in(netns: i32, work: impl FnOnce() -> Result<Value> + Send + 'static) -> Result<i32> {
    let netns = duplicate(netns)?;
    job::start(move || {
        netns::run_in(netns.as_fd(), work).map(|value| value.to_string().into_bytes())
    })
}

fn optional_uid(uid: i64) -> Result<Option<u32>> {
    if uid < 0 {
        return Ok(None);
    }
    u32::try_from(uid)
        .map(Some)
        .map_err(|_| invalid(format!("{uid} is no uid")))
}

fn link_json(link: &link::Link) -> Value {
    let mac: Vec<String> = link.mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let addresses: Vec<String> = link
        .addresses
        .iter()
        .map(|(address, prefix)| format!("{address}/{prefix}"))
        .collect();
    let counters = &link.counters;
    json!({
        "name": link.name,
        "index": link.index,
        "mac": mac.join(":"),
        "mtu": link.mtu,
        "up": link.up,
        "addresses": addresses,
        "counters": {
            "rxBytes": counters.rx_bytes,
            "rxPackets": counters.rx_packets,
            "rxErrors": counters.rx_errors,
            "rxDropped": counters.rx_dropped,
            "txBytes": counters.tx_bytes,
            "txPackets": counters.tx_packets,
            "txErrors": counters.tx_errors,
            "txDropped": counters.tx_dropped,
        },
    })
}
