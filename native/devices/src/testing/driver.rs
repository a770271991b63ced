//! A driver beside a device in one process: it finds the device as a guest's kernel does, by its configuration space, and speaks
//! to it by BAR, rings and interrupts alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vm_memory::{Bytes, GuestAddress, GuestAddressSpace};

use super::{Bells, Vectors};
use crate::memory::{GuestMemory, Ram};
use crate::pci::config::{BAR_0, COMMAND};
use crate::pci::{PciFunction, Windows};
use crate::virtio::VirtioDevice;
use crate::virtio::pci::{Connections, VirtioPci};

pub const MEMORY: u64 = 16 << 20;
/// Where the tests put the BAR.
pub const BAR: u64 = 1 << 32;
/// Free for buffers from here on.
pub const BUFFERS: u64 = 1 << 20;

const RINGS: u64 = 0x1_0000;
const RING_SIZE: u64 = 0x1_0000;
const AVAILABLE: u64 = 0x4000;
const USED: u64 = 0x8000;
const WRITE: u16 = 2;
const NEXT: u16 = 1;
/// How long a device may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A buffer of a request.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    pub address: u64,
    pub length: u32,
    /// By the device.
    pub writable: bool,
}

pub struct Driver {
    pub function: VirtioPci,
    pub memory: GuestMemory,
    pub vectors: Arc<Vectors>,
    pub bells: Arc<Bells>,
    rings: Vec<Ring>,
}

#[derive(Clone, Default)]
struct Ring {
    size: u16,
    next_descriptor: u16,
    available: u16,
    used: u16,
}

impl Driver {
    pub fn new(device: Box<dyn VirtioDevice>) -> Driver {
        let ram = Ram::from_ranges(&[(GuestAddress(0), MEMORY as usize)]).unwrap();
        let memory = GuestMemory::new(ram);
        let vectors = Arc::new(Vectors::default());
        let bells = Arc::new(Bells::default());
        let queues = device.queue_sizes().len();
        let to = Connections {
            memory: memory.clone(),
            vectors: vectors.clone(),
            doorbells: bells.clone(),
            windows: Windows(std::iter::once(BAR..BAR << 1).collect()),
            start_thread: Arc::new(|_| Ok(())),
        };
        let mut driver = Driver {
            function: VirtioPci::new(device, 0, to).unwrap(),
            memory,
            vectors,
            bells,
            rings: vec![Ring::default(); queues],
        };
        driver.map();
        driver
    }

    /// Gives the BAR its place and lets the device answer there.
    pub fn map(&mut self) {
        let function = &mut self.function;
        function.write_config(BAR_0, &(BAR as u32).to_le_bytes());
        function.write_config(BAR_0 + 4, &((BAR >> 32) as u32).to_le_bytes());
        function.write_config(COMMAND, &[6, 4]);
    }

    /// Negotiates these features besides VERSION_1, sets up every queue at its full size, and lets the device go.
    pub fn start(&mut self, features: u64) {
        self.set_up(features);
        self.set_status(0x0f);
        assert_eq!(self.status(), 0x0f);
    }

    /// All of it but DRIVER_OK.
    pub fn set_up(&mut self, features: u64) {
        self.set_status(0);
        self.set_status(3);
        for half in 0..2u32 {
            let accepted = features | 1 << 32;
            self.write(0x08, &half.to_le_bytes());
            self.write(0x0c, &((accepted >> (32 * half)) as u32).to_le_bytes());
        }
        self.set_status(0x0b);
        assert_eq!(self.status(), 0x0b, "the device refuses the features");
        self.write(0x10, &0u16.to_le_bytes());
        for index in 0..self.rings.len() {
            self.set_up_queue(index);
        }
    }

    fn set_up_queue(&mut self, index: usize) {
        self.write(0x16, &(index as u16).to_le_bytes());
        let size = self.read(0x18, 2) as u16;
        self.rings[index] = Ring {
            size,
            ..Ring::default()
        };
        let at = ring(index);
        let ram = self.memory.memory();
        ram.write_slice(&[0; RING_SIZE as usize], GuestAddress(at))
            .unwrap();
        for (register, address) in [(0x20, at), (0x28, at + AVAILABLE), (0x30, at + USED)] {
            self.write(register, &(address as u32).to_le_bytes());
            self.write(register + 4, &((address >> 32) as u32).to_le_bytes());
        }
        self.write(0x1a, &(index as u16 + 1).to_le_bytes());
        assert_eq!(self.read(0x1a, 2), index as u64 + 1);
        self.write(0x1c, &1u16.to_le_bytes());
    }

    pub fn read(&mut self, offset: u64, length: usize) -> u64 {
        let mut bytes = [0; 8];
        assert!(
            self.function
                .read_memory(BAR + offset, &mut bytes[..length])
        );
        u64::from_le_bytes(bytes)
    }

    pub fn write(&mut self, offset: u64, data: &[u8]) {
        assert!(self.function.write_memory(BAR + offset, data));
    }

    pub fn status(&mut self) -> u8 {
        self.read(0x14, 1) as u8
    }

    pub fn set_status(&mut self, status: u8) {
        self.write(0x14, &[status]);
    }

    /// The device's own configuration.
    pub fn config(&mut self, offset: u64, length: usize) -> u64 {
        self.read(0x2000 + offset, length)
    }

    /// Puts a request into a queue and returns its head; tells nobody.
    pub fn offer(&mut self, queue: usize, buffers: &[Buffer]) -> u16 {
        let head = self.rings[queue].next_descriptor;
        for (index, buffer) in buffers.iter().enumerate() {
            let last = index + 1 == buffers.len();
            self.describe(queue, *buffer, !last);
        }
        self.make_available(queue, head);
        head
    }

    fn describe(&mut self, queue: usize, buffer: Buffer, more: bool) {
        let ring = &mut self.rings[queue];
        let number = ring.next_descriptor;
        ring.next_descriptor = (number + 1) % ring.size;
        let flags = if buffer.writable { WRITE } else { 0 } | if more { NEXT } else { 0 };
        let next = ring.next_descriptor;
        self.write_descriptor(queue, number, buffer, flags, next);
    }

    /// A descriptor as it is, sound or not.
    pub fn write_descriptor(
        &self,
        queue: usize,
        number: u16,
        buffer: Buffer,
        flags: u16,
        next: u16,
    ) {
        let at = ring(queue) + u64::from(number) * 16;
        let ram = self.memory.memory();
        ram.write_obj(buffer.address, GuestAddress(at)).unwrap();
        ram.write_obj(buffer.length, GuestAddress(at + 8)).unwrap();
        ram.write_obj(flags, GuestAddress(at + 12)).unwrap();
        ram.write_obj(next, GuestAddress(at + 14)).unwrap();
    }

    pub fn make_available(&mut self, queue: usize, head: u16) {
        let known = &mut self.rings[queue];
        let slot = u64::from(known.available % known.size);
        known.available = known.available.wrapping_add(1);
        let index = known.available;
        let at = ring(queue) + AVAILABLE;
        let ram = self.memory.memory();
        ram.write_obj(head, GuestAddress(at + 4 + slot * 2))
            .unwrap();
        self.set_available_index(queue, index);
    }

    pub fn set_available_index(&self, queue: usize, index: u16) {
        let at = GuestAddress(ring(queue) + AVAILABLE + 2);
        let ram = self.memory.memory();
        ram.store(index, at, std::sync::atomic::Ordering::Release)
            .unwrap();
    }

    pub fn notify(&mut self, queue: usize) {
        let number = (queue as u16).to_le_bytes();
        self.write(0x3000 + queue as u64 * 4, &number);
    }

    /// The next request that came back: its head and how much was written into it. Waits for it.
    pub fn used(&mut self, queue: usize) -> (u16, u32) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(used) = self.try_used(queue) {
                return used;
            }
            assert!(Instant::now() < deadline, "the device gave nothing back");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn try_used(&mut self, queue: usize) -> Option<(u16, u32)> {
        let at = ring(queue) + USED;
        let ram = self.memory.memory();
        let order = std::sync::atomic::Ordering::Acquire;
        let index: u16 = ram.load(GuestAddress(at + 2), order).unwrap();
        let known = &mut self.rings[queue];
        if index == known.used {
            return None;
        }
        let element = at + 4 + u64::from(known.used % known.size) * 8;
        known.used = known.used.wrapping_add(1);
        let head: u32 = ram.read_obj(GuestAddress(element)).unwrap();
        let length: u32 = ram.read_obj(GuestAddress(element + 4)).unwrap();
        Some((head as u16, length))
    }

    /// Offers one request, notifies, and waits for it.
    pub fn request(&mut self, queue: usize, buffers: &[Buffer]) -> u32 {
        let head = self.offer(queue, buffers);
        self.notify(queue);
        let (used, length) = self.used(queue);
        assert_eq!(used, head);
        length
    }

    /// Waits until the device says that it must be reset.
    pub fn wait_for_needs_reset(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.status() & 0x40 == 0 {
            assert!(Instant::now() < deadline, "the device takes it");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn bytes(&self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let ram = self.memory.memory();
        ram.read_slice(&mut bytes, GuestAddress(address)).unwrap();
        bytes
    }

    pub fn fill(&self, address: u64, bytes: &[u8]) {
        let ram = self.memory.memory();
        ram.write_slice(bytes, GuestAddress(address)).unwrap();
    }
}

fn ring(queue: usize) -> u64 {
    RINGS + queue as u64 * RING_SIZE
}
