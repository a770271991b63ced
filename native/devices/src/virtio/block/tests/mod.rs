//! A driver of virtio-blk beside the device, on a file in memory.

mod config;
mod data;
mod failures;
mod hostile;

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::fs::MemfdFlags;

use super::*;
use crate::power::{self, PowerEvents};
use crate::testing::driver::{BUFFERS, Buffer, Driver};
use crate::virtio::F_EVENT_IDX;

const HEADER: u64 = BUFFERS;
const STATUS: u64 = BUFFERS + 0x100;
const DATA: u64 = BUFFERS + 0x1000;

const IN: u32 = super::request::IN;
const OUT: u32 = super::request::OUT;
const FLUSH: u32 = super::request::FLUSH;
const GET_ID: u32 = super::request::GET_ID;
const DISCARD: u32 = super::request::DISCARD;
const WRITE_ZEROES: u32 = super::request::WRITE_ZEROES;

const OK: u8 = 0;
const IO_ERROR: u8 = 1;
const UNSUPPORTED: u8 = 2;
/// Put where the device writes its status.
const UNTOUCHED: u8 = 0xee;

const ALL: u64 = F_EVENT_IDX | F_FLUSH | F_CONFIG_WCE | F_DISCARD | F_WRITE_ZEROES;

fn options() -> Options {
    Options {
        name: "disk-root".into(),
        read_only: false,
        serial: "SN-1".into(),
        logical_block: 512,
        physical_block: 512,
        discard_granularity: 512,
        cache: Cache::Writeback,
        discard: true,
        on_error: OnError::Stop,
    }
}

struct Disk {
    driver: Driver,
    file: File,
    monitor: Arc<Monitor>,
    events: PowerEvents,
    /// The device's own descriptor.
    fd: RawFd,
}

fn memory_file(bytes: u64) -> File {
    let file = File::from(rustix::fs::memfd_create("disk", MemfdFlags::CLOEXEC).unwrap());
    file.set_len(bytes).unwrap();
    file
}

impl Disk {
    /// Not started yet.
    fn idle(bytes: u64, options: Options) -> Disk {
        Disk::of(memory_file(bytes), options)
    }

    fn of(file: File, options: Options) -> Disk {
        let (wake, events) = power::channel().unwrap();
        let own = OwnedFd::from(file.try_clone().unwrap());
        let fd = own.as_raw_fd();
        let block = Block::new(own, options, wake).unwrap();
        Disk {
            monitor: block.monitor(),
            driver: Driver::new(Box::new(block)),
            file,
            events,
            fd,
        }
    }

    fn new(bytes: u64, options: Options) -> Disk {
        let mut disk = Disk::idle(bytes, options);
        let features = ALL & disk.offered();
        disk.driver.start(features);
        disk
    }

    fn offered(&mut self) -> u64 {
        let mut half = |which: u32| {
            self.driver.write(0x00, &which.to_le_bytes());
            self.driver.read(0x04, 4)
        };
        half(0) | half(1) << 32
    }

    fn header(&self, kind: u32, sector: u64) -> Buffer {
        self.driver.fill(HEADER, &kind.to_le_bytes());
        self.driver.fill(HEADER + 4, &[0; 4]);
        self.driver.fill(HEADER + 8, &sector.to_le_bytes());
        readable(HEADER, 16)
    }

    /// Sends a request as Linux does, and returns its status and the length that came back.
    fn ask(&mut self, kind: u32, sector: u64, data: &[Buffer]) -> (u8, u32) {
        self.offer(kind, sector, data);
        self.driver.notify(0);
        let (_, length) = self.driver.used(0);
        (self.status(), length)
    }

    fn offer(&mut self, kind: u32, sector: u64, data: &[Buffer]) {
        self.driver.fill(STATUS, &[UNTOUCHED]);
        let header = [self.header(kind, sector)];
        let status = [writable(STATUS, 1)];
        let all: Vec<Buffer> = header.iter().chain(data).chain(&status).copied().collect();
        self.driver.offer(0, &all);
    }

    fn status(&self) -> u8 {
        self.driver.bytes(STATUS, 1)[0]
    }

    fn write(&mut self, sector: u64, bytes: &[u8]) -> u8 {
        self.driver.fill(DATA, bytes);
        self.ask(OUT, sector, &[readable(DATA, bytes.len() as u32)])
            .0
    }

    fn read(&mut self, sector: u64, length: u32) -> (u8, Vec<u8>) {
        self.driver.fill(DATA, &vec![0xdd; length as usize]);
        let (status, _) = self.ask(IN, sector, &[writable(DATA, length)]);
        (status, self.driver.bytes(DATA, length as usize))
    }

    /// A discard or zeroes.
    fn clear(&mut self, kind: u32, sector: u64, sectors: u32, flags: u32) -> u8 {
        self.driver.fill(DATA, &sector.to_le_bytes());
        self.driver.fill(DATA + 8, &sectors.to_le_bytes());
        self.driver.fill(DATA + 12, &flags.to_le_bytes());
        self.ask(kind, 0, &[readable(DATA, 16)]).0
    }

    fn stored(&self, offset: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset).unwrap();
        bytes
    }

    /// Puts another file behind the device's descriptor.
    fn exchange(&self, file: &File) {
        // SAFETY: both are open; the device's own number stays its own.
        let done = unsafe { libc::dup2(file.as_raw_fd(), self.fd) };
        assert_eq!(done, self.fd);
    }
}

fn readable(address: u64, length: u32) -> Buffer {
    Buffer {
        address,
        length,
        writable: false,
    }
}

fn writable(address: u64, length: u32) -> Buffer {
    Buffer {
        address,
        length,
        writable: true,
    }
}
