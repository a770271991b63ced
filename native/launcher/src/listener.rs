//! Unix sockets that serve root and the launcher's own uid, and nobody else.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, chmod, unlink};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, socket_with,
};

use crate::error::{OrFault, Result};

/// Most connections to one socket; more are closed as they come.
pub const MAX_CONNECTIONS: usize = 8;

pub struct Listener {
    socket: OwnedFd,
}

impl Listener {
    /// Takes the path over from whatever lay there.
    pub fn bind(path: &Path) -> Result<Self> {
        let doing = || format!("listening on {}", path.display());
        match unlink(path) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno).or_fault(doing),
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).or_fault(doing)?;
        bind(&socket, &SocketAddrUnix::new(path).or_fault(doing)?).or_fault(doing)?;
        chmod(path, Mode::from_raw_mode(0o660)).or_fault(doing)?;
        listen(&socket, MAX_CONNECTIONS as i32).or_fault(doing)?;
        Ok(Self { socket })
    }

    /// The next connection of somebody who may have one; `None` when nobody waits.
    pub fn accept(&self) -> Option<OwnedFd> {
        loop {
            match accept_with(&self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(connection) if is_trusted(connection.as_fd()) => return Some(connection),
                Ok(_) | Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(_) => return None,
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn is_trusted(connection: BorrowedFd<'_>) -> bool {
    let own = rustix::process::geteuid().as_raw();
    peer_uid(connection).is_some_and(|uid| uid == 0 || uid == own)
}

/// Not by rustix, whose credentials always have a process id: the daemon's is 0 here, for it lives outside of the pod's
/// process namespace.
fn peer_uid(connection: BorrowedFd<'_>) -> Option<u32> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into the structure, and both live through the call.
    let failed = unsafe {
        libc::getsockopt(
            connection.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    (failed == 0 && length as usize == size_of::<libc::ucred>()).then_some(credentials.uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_socket_replaces_what_a_former_run_left() {
        let scratch = Scratch::new();
        let path = scratch.path("x.sock");
        std::fs::write(&path, "old").unwrap();
        let listener = Listener::bind(&path).unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o660);
        assert!(listener.accept().is_none());
    }

    #[test]
    fn our_own_uid_is_served() {
        let scratch = Scratch::new();
        let path = scratch.path("x.sock");
        let listener = Listener::bind(&path).unwrap();
        let _peer = UnixStream::connect(&path).unwrap();
        assert!(listener.accept().is_some());
        assert!(listener.accept().is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let fault = Listener::bind(Path::new("/nowhere/x.sock")).err().unwrap();
        assert!(
            fault.to_string().contains("listening on /nowhere/x.sock"),
            "{fault}"
        );
    }
}
