//! The crate `virtio-drivers` on our PCI functions: it finds the structures in the configuration space, sizes the BAR and runs
//! its own rings; here is only what carries its accesses.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use virtio_drivers::transport::pci::bus::{
    BarInfo, ConfigurationAccess, DeviceFunction, PCI_CAP_ID_VNDR, PciRoot,
};
use virtio_drivers::transport::pci::virtio_device_type;
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};
use vm_memory::{Bytes, GuestAddress, GuestAddressSpace, GuestMemoryBackend};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::driver::BAR;
use super::{Bells, Vectors};
use crate::bus::lock;
use crate::memory::{GuestMemory, Ram};
use crate::pci::{PciFunction, Windows};
use crate::virtio::VirtioDevice;
use crate::virtio::pci::{Connections, VirtioPci};

const SLOT: DeviceFunction = DeviceFunction {
    bus: 0,
    device: 0,
    function: 0,
};

/// Never given back: as much as all tests together take, of which only what is touched is there.
const MEMORY: u64 = 1 << 30;

fn memory() -> &'static GuestMemory {
    static MADE: OnceLock<GuestMemory> = OnceLock::new();
    MADE.get_or_init(|| {
        let ram = Ram::from_ranges(&[(GuestAddress(0), MEMORY as usize)]);
        GuestMemory::new(ram.unwrap())
    })
}

/// The driver's buffers are copied into the guest's memory and back, as if there were an IOMMU.
pub struct Board;

// SAFETY: pages are never given twice, lie in memory that is never unmapped, and are zero at first.
unsafe impl Hal for Board {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        static NEXT: AtomicU64 = AtomicU64::new(PAGE_SIZE as u64);
        let length = (pages * PAGE_SIZE) as u64;
        let at = NEXT.fetch_add(length, Ordering::Relaxed);
        assert!(at + length <= MEMORY, "the tests need more memory");
        let host = memory().memory().get_host_address(GuestAddress(at));
        (at, NonNull::new(host.unwrap()).unwrap())
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0
    }

    unsafe fn mmio_phys_to_virt(_: PhysAddr, _: usize) -> NonNull<u8> {
        unreachable!("registers are reached by `Slot`")
    }

    unsafe fn share(buffer: NonNull<[u8]>, direction: BufferDirection) -> PhysAddr {
        let (at, _) = Board::dma_alloc(buffer.len().div_ceil(PAGE_SIZE), direction);
        // SAFETY: the caller's buffer is valid, and nobody writes to it now.
        let bytes = unsafe { buffer.as_ref() };
        let copied = memory().memory().write_slice(bytes, GuestAddress(at));
        copied.unwrap();
        at
    }

    unsafe fn unshare(at: PhysAddr, mut buffer: NonNull<[u8]>, direction: BufferDirection) {
        if direction != BufferDirection::DriverToDevice {
            // SAFETY: the caller's buffer is valid, and nobody else uses it now.
            let bytes = unsafe { buffer.as_mut() };
            let copied = memory().memory().read_slice(bytes, GuestAddress(at));
            copied.unwrap();
        }
    }
}

/// A function in its slot.
#[derive(Clone)]
pub struct Slot(Arc<Mutex<VirtioPci>>);

impl Slot {
    pub fn new(device: Box<dyn VirtioDevice>) -> Slot {
        let to = Connections {
            memory: memory().clone(),
            vectors: Arc::new(Vectors::default()),
            doorbells: Arc::new(Bells::default()),
            windows: Windows(std::iter::once(BAR..BAR << 1).collect()),
            start_thread: Arc::new(|_| Ok(())),
        };
        Slot(Arc::new(Mutex::new(VirtioPci::new(device, 0, to).unwrap())))
    }

    /// Enumerates, places the BAR and finds the structures in it.
    pub fn transport(&self) -> Registers {
        let mut root = PciRoot::new(self.clone());
        let (_, info) = root.enumerate_bus(0).next().unwrap();
        let kind = virtio_device_type(&info).unwrap();
        let bar = root.bar_info(SLOT, 0).unwrap().unwrap();
        let BarInfo::Memory { size, .. } = bar else {
            panic!("{bar:?}");
        };
        assert!(size.is_power_of_two());
        root.set_bar_64(SLOT, 0, BAR);
        let (_, command) = root.get_status_command(SLOT);
        root.set_command(SLOT, command | memory_and_master());
        let mut registers = Registers {
            slot: self.clone(),
            kind,
            common: 0,
            notify: 0,
            stride: 0,
            isr: 0,
            config: 0,
        };
        for capability in root.capabilities(SLOT) {
            if capability.id != PCI_CAP_ID_VNDR {
                continue;
            }
            let word = |at: u8| self.read_word(SLOT, capability.offset + at);
            let start = BAR + u64::from(word(8));
            match capability.private_header >> 8 {
                1 => registers.common = start,
                2 => {
                    registers.notify = start;
                    registers.stride = u64::from(word(16));
                }
                3 => registers.isr = start,
                4 => registers.config = start,
                _ => continue,
            }
            assert_eq!(word(4) & 0xff, 0, "in BAR 0");
            assert!(u64::from(word(8)) + u64::from(word(12)) <= size);
        }
        registers
    }

    fn read(&self, address: u64, data: &mut [u8]) {
        assert!(lock(&self.0).read_memory(address, data));
    }

    fn write(&self, address: u64, data: &[u8]) {
        assert!(lock(&self.0).write_memory(address, data));
    }
}

fn memory_and_master() -> virtio_drivers::transport::pci::bus::Command {
    use virtio_drivers::transport::pci::bus::Command;
    Command::MEMORY_SPACE | Command::BUS_MASTER
}

impl ConfigurationAccess for Slot {
    fn read_word(&self, at: DeviceFunction, offset: u8) -> u32 {
        if at != SLOT {
            return u32::MAX;
        }
        let mut word = [0; 4];
        lock(&self.0).read_config(offset.into(), &mut word);
        u32::from_le_bytes(word)
    }

    fn write_word(&mut self, at: DeviceFunction, offset: u8, data: u32) {
        assert_eq!(at, SLOT);
        lock(&self.0).write_config(offset.into(), &data.to_le_bytes());
    }

    unsafe fn unsafe_clone(&self) -> Slot {
        self.clone()
    }
}

/// The structures of a function, by their addresses.
pub struct Registers {
    slot: Slot,
    kind: DeviceType,
    common: u64,
    notify: u64,
    stride: u64,
    isr: u64,
    config: u64,
}

impl Registers {
    fn common<const N: usize>(&self, offset: u64) -> [u8; N] {
        let mut bytes = [0; N];
        self.slot.read(self.common + offset, &mut bytes);
        bytes
    }

    fn set_common(&self, offset: u64, data: &[u8]) {
        self.slot.write(self.common + offset, data);
    }

    fn select(&self, queue: u16) {
        self.set_common(0x16, &queue.to_le_bytes());
    }
}

impl Transport for Registers {
    fn device_type(&self) -> DeviceType {
        self.kind
    }

    fn read_device_features(&mut self) -> u64 {
        let half = |which: u32| {
            self.set_common(0x00, &which.to_le_bytes());
            u64::from(u32::from_le_bytes(self.common(0x04)))
        };
        half(0) | half(1) << 32
    }

    fn write_driver_features(&mut self, features: u64) {
        for half in 0..2u32 {
            self.set_common(0x08, &half.to_le_bytes());
            let bits = (features >> (32 * half)) as u32;
            self.set_common(0x0c, &bits.to_le_bytes());
        }
    }

    fn max_queue_size(&mut self, queue: u16) -> u32 {
        self.select(queue);
        u16::from_le_bytes(self.common(0x18)).into()
    }

    fn notify(&mut self, queue: u16) {
        self.select(queue);
        let offset = u64::from(u16::from_le_bytes(self.common(0x1e)));
        let address = self.notify + offset * self.stride;
        self.slot.write(address, &queue.to_le_bytes());
    }

    fn get_status(&self) -> DeviceStatus {
        let [status] = self.common(0x14);
        DeviceStatus::from_bits_truncate(status.into())
    }

    fn set_status(&mut self, status: DeviceStatus) {
        self.set_common(0x14, &[status.bits() as u8]);
    }

    fn set_guest_page_size(&mut self, _: u32) {}

    fn requires_legacy_layout(&self) -> bool {
        false
    }

    fn queue_set(
        &mut self,
        queue: u16,
        size: u32,
        descriptors: PhysAddr,
        driver: PhysAddr,
        device: PhysAddr,
    ) {
        self.select(queue);
        self.set_common(0x18, &(size as u16).to_le_bytes());
        for (offset, address) in [(0x20, descriptors), (0x28, driver), (0x30, device)] {
            self.set_common(offset, &address.to_le_bytes());
        }
        self.set_common(0x1c, &1u16.to_le_bytes());
    }

    fn queue_unset(&mut self, _: u16) {}

    fn queue_used(&mut self, queue: u16) -> bool {
        self.select(queue);
        u16::from_le_bytes(self.common(0x1c)) == 1
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        let mut status = [0];
        self.slot.read(self.isr, &mut status);
        InterruptStatus::from_bits_retain(status[0].into())
    }

    fn read_config_generation(&self) -> u32 {
        let [generation] = self.common(0x15);
        generation.into()
    }

    fn read_config_space<T: FromBytes + IntoBytes>(
        &self,
        offset: usize,
    ) -> virtio_drivers::Result<T> {
        let mut value = T::new_zeroed();
        self.slot
            .read(self.config + offset as u64, value.as_mut_bytes());
        Ok(value)
    }

    fn write_config_space<T: IntoBytes + Immutable>(
        &mut self,
        offset: usize,
        value: T,
    ) -> virtio_drivers::Result<()> {
        self.slot
            .write(self.config + offset as u64, value.as_bytes());
        Ok(())
    }
}
