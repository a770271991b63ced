//! The one error type of the library, with codes that are part of the C ABI.

use std::fmt;

use rustix::io::Errno;

pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can tell apart. The numbers are the C ABI's (`NativeErrorNumber` in `native/src/errors.ts`) and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Code {
    InvalidArgument = 1,
    NotFound = 2,
    Refused = 3,
    Busy = 4,
    Escapes = 5,
    WrongType = 6,
    TimedOut = 7,
    PeerClosed = 8,
    TooLarge = 9,
    ProcessGone = 10,
    PermissionDenied = 11,
    Unsupported = 12,
    System = 13,
    Panicked = 14,
}

impl Code {
    pub const ALL: [Code; 14] = [
        Code::InvalidArgument,
        Code::NotFound,
        Code::Refused,
        Code::Busy,
        Code::Escapes,
        Code::WrongType,
        Code::TimedOut,
        Code::PeerClosed,
        Code::TooLarge,
        Code::ProcessGone,
        Code::PermissionDenied,
        Code::Unsupported,
        Code::System,
        Code::Panicked,
    ];

    fn of(errno: Errno) -> Code {
        match errno {
            Errno::NOENT | Errno::NODEV | Errno::NXIO => Code::NotFound,
            Errno::CONNREFUSED => Code::Refused,
            Errno::AGAIN | Errno::BUSY | Errno::ADDRINUSE => Code::Busy,
            Errno::LOOP | Errno::XDEV => Code::Escapes,
            Errno::NOTDIR | Errno::NOTSOCK | Errno::PROTOTYPE | Errno::NOTTY => Code::WrongType,
            Errno::TIMEDOUT => Code::TimedOut,
            Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN => Code::PeerClosed,
            Errno::MSGSIZE => Code::TooLarge,
            Errno::SRCH => Code::ProcessGone,
            Errno::ACCESS | Errno::PERM | Errno::ROFS => Code::PermissionDenied,
            Errno::NOSYS | Errno::OPNOTSUPP | Errno::AFNOSUPPORT => Code::Unsupported,
            Errno::INVAL | Errno::BADF | Errno::NAMETOOLONG => Code::InvalidArgument,
            _ => Code::System,
        }
    }
}

/// A failure with the text that a person reads: what failed, on which object, and the kernel's word for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub code: Code,
    /// Linux error number, 0 where no system call failed.
    pub errno: i32,
    pub message: String,
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error {
            code,
            errno: 0,
            message: message.into(),
        }
    }

    /// A system call that failed; the code follows from the number.
    pub fn of_errno(doing: impl fmt::Display, errno: Errno) -> Error {
        let said = std::io::Error::from_raw_os_error(errno.raw_os_error());
        Error {
            code: Code::of(errno),
            errno: errno.raw_os_error(),
            message: format!("{doing}: {said}"),
        }
    }

    pub fn of_io(doing: impl fmt::Display, error: &std::io::Error) -> Error {
        match error.raw_os_error() {
            Some(number) => Error::of_errno(doing, Errno::from_raw_os_error(number)),
            None => Error::new(Code::System, format!("{doing}: {error}")),
        }
    }

    /// The failure of the last libc call of this thread.
    pub fn last(doing: impl fmt::Display) -> Error {
        Error::of_io(doing, &std::io::Error::last_os_error())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_abi_and_have_no_gap() {
        let numbers: Vec<u32> = Code::ALL.iter().map(|code| *code as u32).collect();
        assert_eq!(numbers, (1..=14).collect::<Vec<u32>>());
    }

    #[test]
    fn a_system_error_keeps_its_number_and_says_what_was_tried() {
        let error = Error::of_errno("connecting to launcher.sock", Errno::CONNREFUSED);
        assert_eq!(error.code, Code::Refused);
        assert_eq!(error.errno, libc::ECONNREFUSED);
        assert_eq!(
            error.message,
            "connecting to launcher.sock: Connection refused (os error 111)"
        );
    }

    #[test]
    fn an_error_number_without_a_meaning_of_its_own_is_a_system_error() {
        assert_eq!(Error::of_errno("x", Errno::NOSPC).code, Code::System);
    }
}
