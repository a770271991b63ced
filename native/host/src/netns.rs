//! Work inside another network namespace, on a thread that is thrown away afterwards.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::error::{Code, Error, Result};

/// Runs `work` in the network namespace `netns` and returns what it returned. The caller's thread keeps its own namespace:
/// a thread of its own enters and ends, so there is no way to forget to come back.
pub fn run_in<T: Send>(
    netns: BorrowedFd<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("wherry-netns".into())
            .stack_size(256 * 1024)
            .spawn_scoped(scope, move || {
                enter(netns)?;
                work()
            })
            .map_err(|error| Error::of_io("starting a thread", &error))?;
        thread.join().unwrap_or_else(|_| {
            Err(Error::new(
                Code::Panicked,
                "a thread in a network namespace panicked",
            ))
        })
    })
}

fn enter(netns: BorrowedFd<'_>) -> Result<()> {
    move_into_link_name_space(netns, Some(LinkNameSpaceType::Network)).map_err(
        |errno| match errno {
            // EBADF: an O_PATH descriptor.
            Errno::INVAL | Errno::BADF => {
                Error::new(Code::WrongType, "the descriptor is no network namespace")
            }
            errno => Error::of_errno("entering the network namespace", errno),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestNetns;
    use std::os::fd::AsFd;

    fn own_inode() -> u64 {
        rustix::fs::stat("/proc/thread-self/ns/net").unwrap().st_ino
    }

    #[test]
    fn work_runs_inside_and_the_caller_stays_outside() {
        let Some(netns) = TestNetns::new() else {
            return;
        };
        let before = own_inode();
        let inside = run_in(netns.fd(), || Ok(own_inode())).unwrap();
        assert_ne!(inside, before);
        assert_eq!(own_inode(), before);
    }

    #[test]
    fn what_is_no_network_namespace_is_refused() {
        let file = std::fs::File::open("/proc/self/ns/uts").unwrap();
        assert_eq!(
            run_in(file.as_fd(), || Ok(())).unwrap_err().code,
            Code::WrongType
        );
        let file = std::fs::File::open("/proc/self/stat").unwrap();
        assert_eq!(
            run_in(file.as_fd(), || Ok(())).unwrap_err().code,
            Code::WrongType
        );
    }

    #[test]
    fn a_panic_inside_is_an_error_outside() {
        let Some(netns) = TestNetns::new() else {
            return;
        };
        let result: Result<()> = run_in(netns.fd(), || panic!("expected by the test"));
        assert_eq!(result.unwrap_err().code, Code::Panicked);
    }
}
