//! Work that may wait: a thread of this library does it and writes one answer into a socket whose other end Node.js reads.
//!
//! Why not koffi's `.async`: it runs on libuv's pool, four threads that file and DNS work of the whole process share, and on
//! a stack of 128 KiB. Why no callback: it would block the thread until JavaScript is idle, and lose exceptions.

use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wherry_host::{Code, Error, Result};

use crate::error_out::caught;

/// Most threads at one time: some for each guest that a node can carry. More at once is a fault or an attack, and is told to
/// try again.
const MAX_THREADS: usize = 512;
/// How long a thread waits for Node.js to read; longer only if its event loop stands still.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const STACK: usize = 256 * 1024;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Holds one of the `MAX_THREADS` places.
struct Place;

impl Place {
    fn take() -> Result<Place> {
        let taken = THREADS.fetch_add(1, Ordering::Relaxed);
        let place = Place;
        if taken >= MAX_THREADS {
            return Err(Error::new(
                Code::Busy,
                format!("{MAX_THREADS} calls are at work already; try again"),
            ));
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        THREADS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts `work` on a thread of its own and returns the descriptor from which its answer is read:
/// u32 error number (0: none), i32 errno, u32 message length, u32 body length, all little-endian; message; body; end of file.
pub fn start(work: impl FnOnce() -> Result<Vec<u8>> + Send + 'static) -> Result<i32> {
    let place = Place::take()?;
    let failed = |error| Error::of_io("starting a thread", &error);
    let (mut ours, theirs) = UnixStream::pair().map_err(failed)?;
    ours.set_write_timeout(Some(READ_TIMEOUT)).map_err(failed)?;
    std::thread::Builder::new()
        .name("wherry-job".into())
        .stack_size(STACK)
        .spawn(move || {
            block_signals();
            let answer = encode(caught(work));
            drop(place);
            // Fails only if Node.js has closed its end: then nobody waits for the answer.
            let _ = ours.write_all(&answer);
        })
        .map_err(failed)?;
    Ok(theirs.into_raw_fd())
}

/// The signals of the process are Node.js's: they must not interrupt system calls of this thread.
fn block_signals() {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset initialises the set before it is read; blocking signals of the calling thread touches no memory of ours.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), std::ptr::null_mut());
    }
}

fn encode(result: Result<Vec<u8>>) -> Vec<u8> {
    let (code, errno, message, body) = match result {
        Ok(body) => (0, 0, String::new(), body),
        Err(error) => (error.code as u32, error.errno, error.message, Vec::new()),
    };
    let mut answer = Vec::with_capacity(16 + message.len() + body.len());
    answer.extend_from_slice(&code.to_le_bytes());
    answer.extend_from_slice(&errno.to_le_bytes());
    answer.extend_from_slice(&(message.len() as u32).to_le_bytes());
    answer.extend_from_slice(&(body.len() as u32).to_le_bytes());
    answer.extend_from_slice(message.as_bytes());
    answer.extend_from_slice(&body);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::FromRawFd;

    fn answer_of(fd: i32) -> Vec<u8> {
        let mut bytes = Vec::new();
        // SAFETY: `start` has just made this descriptor for us.
        unsafe { UnixStream::from_raw_fd(fd) }
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    }

    #[test]
    fn a_result_comes_as_header_and_body() {
        let bytes = answer_of(start(|| Ok(b"body".to_vec())).unwrap());
        assert_eq!(bytes, b"\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0body");
    }

    #[test]
    fn failures_and_panics_come_with_their_message() {
        let bytes = answer_of(
            start(|| {
                Err(Error {
                    code: Code::Busy,
                    errno: 16,
                    message: "m".into(),
                })
            })
            .unwrap(),
        );
        assert_eq!(bytes, b"\x04\0\0\0\x10\0\0\0\x01\0\0\0\0\0\0\0m");
        let bytes = answer_of(start(|| panic!("expected by the test")).unwrap());
        assert_eq!(bytes[0], Code::Panicked as u8);
        assert!(String::from_utf8_lossy(&bytes).contains("expected by the test"));
    }

    #[test]
    fn an_answer_that_nobody_reads_ends_its_thread() {
        let before = THREADS.load(Ordering::Relaxed);
        // SAFETY: `start` has just made this descriptor for us.
        drop(unsafe { UnixStream::from_raw_fd(start(|| Ok(vec![0; 1 << 20])).unwrap()) });
        let begun = std::time::Instant::now();
        while THREADS.load(Ordering::Relaxed) > before {
            assert!(begun.elapsed() < Duration::from_secs(5));
            std::thread::yield_now();
        }
    }
}
