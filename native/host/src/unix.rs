//! Connections to unix sockets that lie in a pod's folder.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::dir::open_entry;
use crate::error::{Code, Error, Result};
use crate::process;

/// Who listened on the socket when it was connected to, in this process's PID namespace (0: outside of it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub pid: i32,
    pub uid: u32,
    pub gid: u32,
}

/// Connects to the stream socket `name` directly inside `dir` and returns it non-blocking.
///
/// The socket is opened first and connected to through /proc/self/fd: nothing can be swapped in between, a symbolic link is
/// never followed, and the path may be longer than the 107 bytes of a sockaddr_un.
pub fn connect(dir: impl AsFd, name: &str) -> Result<(OwnedFd, Peer)> {
    let entry = open_entry(dir, name)?;
    let stat = rustix::fs::fstat(&entry)
        .map_err(|errno| Error::of_errno(format_args!("looking at {name}"), errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
        return Err(Error::new(Code::WrongType, format!("{name} is no socket")));
    }
    let doing = format_args!("connecting to {name}").to_string();
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(|errno| Error::of_errno(&doing, errno))?;
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}", entry.as_raw_fd()))
        .map_err(|errno| Error::of_errno(&doing, errno))?;
    rustix::net::connect(&socket, &address).map_err(|errno| Error::of_errno(&doing, errno))?;
    let peer = peer(&socket)?;
    Ok((socket, peer))
}

/// SO_PEERCRED of a connected unix socket.
pub fn peer(socket: impl AsFd) -> Result<Peer> {
    let mut raw = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: `raw` and `length` outlive the call, and `length` is the size of `raw`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut raw).cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(Error::last("asking for the socket's peer"));
    }
    Ok(Peer {
        pid: raw.pid,
        uid: raw.uid,
        gid: raw.gid,
    })
}

/// A pidfd of the process that listened on the other end. `ProcessGone` when it has been reaped.
pub fn peer_pidfd(socket: impl AsFd) -> Result<OwnedFd> {
    match so_peerpidfd(socket.as_fd().as_raw_fd()) {
        Ok(fd) => Ok(fd),
        // Linux before 6.5. The number could have been given to another process only if the listener is gone, and then
        // the connection is hung up too, unless a child of it still holds the socket.
        Err(Errno::NOPROTOOPT) => process::pidfd_open(peer(socket)?.pid, None),
        Err(Errno::SRCH | Errno::INVAL | Errno::NODATA) => {
            Err(Error::new(Code::ProcessGone, "the socket's peer is gone"))
        }
        Err(errno) => Err(Error::of_errno("asking for the socket's peer", errno)),
    }
}

fn so_peerpidfd(socket: i32) -> std::result::Result<OwnedFd, Errno> {
    const SO_PEERPIDFD: libc::c_int = 77;
    let mut fd: libc::c_int = -1;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `fd` and `length` outlive the call, and `length` is the size of `fd`.
    let result = unsafe {
        libc::getsockopt(
            socket,
            libc::SOL_SOCKET,
            SO_PEERPIDFD,
            (&raw mut fd).cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO));
    }
    // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dir::open_dir;
    use crate::testing::TempDir;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    fn code<T>(result: Result<T>) -> Option<Code> {
        result.err().map(|error| error.code)
    }

    #[test]
    fn connects_where_the_whole_path_is_longer_than_a_socket_address() {
        let temp = TempDir::new();
        let deep = temp.path().join("x".repeat(100)).join("y".repeat(100));
        std::fs::create_dir_all(&deep).unwrap();
        let dir = open_dir(&deep).unwrap();
        let listener = UnixListener::bind(format!("/proc/self/fd/{}/s", dir.as_raw_fd())).unwrap();
        let (socket, peer) = connect(&dir, "s").unwrap();
        assert_eq!(peer.pid as u32, std::process::id());
        assert_eq!(peer.uid, rustix::process::getuid().as_raw());
        assert!(
            rustix::fs::fcntl_getfl(&socket)
                .unwrap()
                .contains(rustix::fs::OFlags::NONBLOCK)
        );
        listener.accept().unwrap();
    }

    #[test]
    fn tells_why_there_is_no_connection() {
        let temp = TempDir::new();
        let dir = open_dir(temp.path()).unwrap();
        assert_eq!(code(connect(&dir, "absent")), Some(Code::NotFound));
        std::fs::write(temp.path().join("file"), "").unwrap();
        assert_eq!(code(connect(&dir, "file")), Some(Code::WrongType));
        drop(UnixListener::bind(temp.path().join("dead")).unwrap());
        assert_eq!(code(connect(&dir, "dead")), Some(Code::Refused));
        let _listener = UnixListener::bind(temp.path().join("s")).unwrap();
        symlink("s", temp.path().join("link")).unwrap();
        assert_eq!(code(connect(&dir, "link")), Some(Code::Escapes));
    }

    #[test]
    fn the_peers_pidfd_stands_for_the_listening_process() {
        let temp = TempDir::new();
        let _listener = UnixListener::bind(temp.path().join("s")).unwrap();
        let (socket, _) = connect(open_dir(temp.path()).unwrap(), "s").unwrap();
        let pidfd = peer_pidfd(&socket).unwrap();
        assert!(process::is_alive(&pidfd).unwrap());
        let info =
            std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).unwrap();
        assert!(
            info.contains(&format!("Pid:\t{}\n", std::process::id())),
            "{info}"
        );
    }
}
