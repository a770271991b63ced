//! The little of rtnetlink that links and addresses need (rtnetlink(7)), over one socket per use.

use std::mem::zeroed;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

use crate::error::{Code, Error, Result};

const HEADER: usize = size_of::<libc::nlmsghdr>();
const ATTRIBUTE_HEADER: usize = 4;

/// A request under construction: header, fixed part, attributes.
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// `fixed` is the message's own struct (ifinfomsg, ifaddrmsg) in the kernel's layout.
    pub fn new(kind: u16, flags: i32, fixed: &[u8]) -> Request {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&0u32.to_ne_bytes());
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&((flags | libc::NLM_F_REQUEST) as u16).to_ne_bytes());
        bytes.extend_from_slice(&1u32.to_ne_bytes());
        bytes.extend_from_slice(&0u32.to_ne_bytes());
        bytes.extend_from_slice(fixed);
        Request { bytes }
    }

    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Request {
        let length = (ATTRIBUTE_HEADER + value.len()) as u16;
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(align(self.bytes.len()), 0);
        self
    }

    /// An attribute that holds a C string.
    pub fn name(self, kind: u16, name: &str) -> Request {
        let mut value = name.as_bytes().to_vec();
        value.push(0);
        self.attribute(kind, &value)
    }

    fn finish(mut self) -> Vec<u8> {
        let length = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes
    }
}

/// One answer: the message's type and what follows its header.
pub struct Answer {
    pub kind: u16,
    pub payload: Vec<u8>,
}

impl Answer {
    /// The attributes behind a fixed part of that many bytes.
    pub fn attributes(&self, fixed: usize) -> Attributes<'_> {
        Attributes {
            rest: self.payload.get(align(fixed)..).unwrap_or_default(),
        }
    }
}

pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(read_u16(self.rest, 0)?);
        let kind = read_u16(self.rest, 2)?
            & !(libc::NLA_F_NESTED as u16 | libc::NLA_F_NET_BYTEORDER as u16);
        let value = self.rest.get(ATTRIBUTE_HEADER..length)?;
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some((kind, value))
    }
}

pub fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub fn read_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A C string without its end.
pub fn read_name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

const fn align(length: usize) -> usize {
    (length + 3) & !3
}

/// A route socket in the network namespace of the thread that opened it.
pub struct Socket {
    fd: OwnedFd,
}

impl Socket {
    pub fn open() -> Result<Socket> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: no pointers are passed; a good result is a new descriptor that nobody else knows.
        let raw = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
        if raw < 0 {
            return Err(Error::last("opening a route socket"));
        }
        // SAFETY: see above.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(Socket { fd })
    }

    /// Sends a request that changes something and waits for the kernel's word on it.
    pub fn change(&self, doing: &str, request: Request) -> Result<()> {
        self.exchange(doing, request).map(drop)
    }

    /// Sends a request and collects its answers, of a dump all parts.
    pub fn exchange(&self, doing: &str, request: Request) -> Result<Vec<Answer>> {
        self.send(&request.finish())
            .map_err(|errno| Error::of_errno(doing, errno))?;
        let mut answers = Vec::new();
        let mut buffer = vec![0u8; 64 * 1024];
        loop {
            let length = self
                .receive(&mut buffer)
                .map_err(|errno| Error::of_errno(doing, errno))?;
            let mut rest = buffer.get(..length).unwrap_or_default();
            while let Some((kind, payload)) = next_message(&mut rest) {
                match i32::from(kind) {
                    libc::NLMSG_DONE => return Ok(answers),
                    libc::NLMSG_ERROR => {
                        return match read_u32(payload, 0).map(u32::cast_signed) {
                            Some(0) => Ok(answers),
                            Some(number) => Err(Error::of_errno(
                                doing,
                                Errno::from_raw_os_error(number.saturating_neg()),
                            )),
                            None => Err(Error::new(
                                Code::System,
                                format!("{doing}: a short answer of the kernel"),
                            )),
                        };
                    }
                    _ => answers.push(Answer {
                        kind,
                        payload: payload.to_vec(),
                    }),
                }
            }
        }
    }

    fn send(&self, bytes: &[u8]) -> std::result::Result<(), Errno> {
        // SAFETY: sockaddr_nl is plain data; all zero but the family means the kernel itself.
        let mut kernel: libc::sockaddr_nl = unsafe { zeroed() };
        kernel.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        // SAFETY: both pointers are valid for the lengths passed with them.
        let sent = unsafe {
            libc::sendto(
                self.fd.as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                0,
                (&raw const kernel).cast(),
                size_of::<libc::sockaddr_nl>() as libc::socklen_t,
            )
        };
        if sent < 0 { Err(last_errno()) } else { Ok(()) }
    }

    /// The route socket of the kernel answers at once; there is nobody else who could send to this one unasked.
    fn receive(&self, buffer: &mut [u8]) -> std::result::Result<usize, Errno> {
        loop {
            // SAFETY: the pointer is valid for the length passed with it.
            let read = unsafe {
                libc::recv(
                    self.fd.as_raw_fd(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    0,
                )
            };
            match usize::try_from(read) {
                Ok(0) => return Err(Errno::CONNRESET),
                Ok(length) => return Ok(length),
                Err(_) if last_errno() == Errno::INTR => {}
                Err(_) => return Err(last_errno()),
            }
        }
    }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

fn next_message<'a>(rest: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let length = read_u32(rest, 0)? as usize;
    let kind = read_u16(rest, 4)?;
    let payload = rest.get(HEADER..length)?;
    *rest = rest.get(align(length)..).unwrap_or_default();
    Some((kind, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_laid_out_as_the_kernel_reads_it() {
        let bytes = Request::new(16, libc::NLM_F_ACK, &[7; 4])
            .name(3, "tap0")
            .finish();
        assert_eq!(read_u32(&bytes, 0), Some(bytes.len() as u32));
        assert_eq!(read_u16(&bytes, 4), Some(16));
        assert_eq!(
            read_u16(&bytes, 6),
            Some((libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16)
        );
        assert_eq!(&bytes[HEADER..HEADER + 4], [7; 4]);
        // 4 bytes of header, "tap0", its NUL and 3 bytes of padding that the length does not count.
        assert_eq!(&bytes[HEADER + 4..], b"\x09\0\x03\0tap0\0\0\0\0");
    }

    #[test]
    fn attributes_are_walked_and_a_broken_length_ends_the_walk() {
        let bytes = Request::new(0, 0, &[])
            .attribute(1, &[1])
            .attribute(2, b"ab\0")
            .finish();
        let answer = Answer {
            kind: 0,
            payload: bytes[HEADER..].to_vec(),
        };
        assert_eq!(
            answer.attributes(0).collect::<Vec<_>>(),
            [(1, &[1][..]), (2, &b"ab\0"[..])]
        );
        for broken in [&b"\xff\0\x01\0"[..], b"\x03\0\x01\0", b"\x04", b""] {
            assert_eq!(
                Answer {
                    kind: 0,
                    payload: broken.to_vec()
                }
                .attributes(0)
                .count(),
                0
            );
        }
    }

    #[test]
    fn an_error_of_the_kernel_keeps_its_number() {
        let socket = Socket::open().unwrap();
        let request = Request::new(libc::RTM_GETLINK, libc::NLM_F_ACK, &[0; 16])
            .name(libc::IFLA_IFNAME, "no-such-link");
        let error = socket.change("asking", request).unwrap_err();
        assert_eq!((error.code, error.errno), (Code::NotFound, libc::ENODEV));
    }
}
