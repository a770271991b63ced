//! The PCI transport (virtio 1.2, 4.1): registers in one BAR, MSI-X, and a doorbell for each queue.

mod common;
mod layout;

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vmm_sys_util::eventfd::EventFd;

use super::interrupt::VirtioInterrupt;
use super::{
    Activation, F_EVENT_IDX, F_INDIRECT_DESC, F_VERSION_1, Kind, Queue, StartThread, VirtioDevice,
    Worker, WorkerThread,
};
use crate::interrupt::{Doorbells, MsiVectors};
use crate::memory::GuestMemory;
use crate::pci::config::{BAR_0, COMMAND, ConfigSpace, Identity};
use crate::pci::msix::Msix;
use crate::pci::{PciFunction, Windows};

const ACKNOWLEDGED_BITS: u8 = 0x0f | 0x80;
const STATUS_DRIVER_OK: u8 = 4;
const STATUS_FEATURES_OK: u8 = 8;

/// What a device is connected to.
#[derive(Clone)]
pub struct Connections {
    pub memory: GuestMemory,
    pub vectors: Arc<dyn MsiVectors>,
    pub doorbells: Arc<dyn Doorbells>,
    pub windows: Windows,
    pub start_thread: StartThread,
}

pub struct VirtioPci {
    device: Box<dyn VirtioDevice>,
    thread: WorkerThread,
    /// A worker that a pause has stopped.
    parked: Option<Box<dyn Worker>>,
    to: Connections,
    config: ConfigSpace,
    initial: ConfigSpace,
    places: layout::Places,
    msix: Msix,
    registers: Registers,
    interrupt: VirtioInterrupt,
    kicks: Vec<Arc<EventFd>>,
    /// Where the BAR is decoded and the doorbells hang.
    decoded: Option<u64>,
}

/// What the driver has written into the common configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registers {
    device_feature_select: u32,
    driver_feature_select: u32,
    driver_features: u64,
    queue_select: u16,
    queues: Vec<QueueRegisters>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct QueueRegisters {
    size: u16,
    enabled: bool,
    descriptors: u64,
    driver: u64,
    device: u64,
}

impl VirtioPci {
    /// `number` tells devices of one kind apart, in the names of their threads.
    pub fn new(
        device: Box<dyn VirtioDevice>,
        number: usize,
        to: Connections,
    ) -> io::Result<VirtioPci> {
        let kind = device.kind();
        let queues = device.queue_sizes().len();
        // One vector for each queue, and one for changes of configuration.
        let vectors = u16::try_from(queues).unwrap_or(u16::MAX).saturating_add(1);
        let msix = Msix::new(vectors, to.vectors.as_ref())?;
        let [class, subclass] = kind.class();
        let mut config = ConfigSpace::new(&Identity {
            vendor: 0x1af4,
            device: 0x1040u16.saturating_add(kind.id()),
            revision: 1,
            class: [class, subclass, 0],
            header: 0,
            subsystem: [0x1af4, kind.id()],
        });
        let places = layout::fill(&mut config, &msix)
            .ok_or_else(|| io::Error::other("no room in a configuration space"))?;
        let kicks: io::Result<Vec<_>> = (0..queues)
            .map(|_| EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC).map(Arc::new))
            .collect();
        let thread = WorkerThread::spawn(kind, number, to.start_thread.clone())?;
        let registers = initial_registers(device.as_ref());
        Ok(VirtioPci {
            interrupt: VirtioInterrupt::new(msix.vectors().clone(), queues),
            device,
            thread,
            parked: None,
            to,
            initial: config.clone(),
            config,
            places,
            msix,
            registers,
            kicks: kicks?,
            decoded: None,
        })
    }

    /// Returns when the device's thread touches nothing any more. No vCPU runs.
    pub fn pause(&mut self) {
        if let Some(worker) = self.thread.stop() {
            self.parked = Some(worker);
        }
    }

    pub fn resume(&mut self) {
        if let Some(worker) = self.parked.take() {
            self.thread.run(worker);
        }
    }

    pub fn kind(&self) -> Kind {
        self.device.kind()
    }

    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        self.device.counters()
    }

    fn features(&self) -> u64 {
        self.device.features() | F_VERSION_1 | F_EVENT_IDX | F_INDIRECT_DESC
    }

    fn set_status(&mut self, status: u8) {
        if status == 0 {
            return self.reset_device();
        }
        let before = self.interrupt.status();
        // Bits are only added; what the device has said stays.
        let mut status = before | status & ACKNOWLEDGED_BITS;
        let new = status & !before;
        if new & STATUS_FEATURES_OK != 0 && !self.features_are_good() {
            status &= !STATUS_FEATURES_OK;
        }
        self.interrupt.set_status(status);
        if new & STATUS_DRIVER_OK != 0 && status & STATUS_FEATURES_OK != 0 {
            self.activate();
        }
    }

    fn features_are_good(&self) -> bool {
        let accepted = self.registers.driver_features;
        accepted & !self.features() == 0 && accepted & F_VERSION_1 != 0
    }

    fn activate(&mut self) {
        let queues = (0..self.kicks.len()).map(|index| self.queue(index));
        let Ok(queues) = queues.collect::<Result<Vec<_>, Invalid>>() else {
            return self.interrupt.needs_reset();
        };
        let worker = self.device.activate(Activation {
            memory: self.to.memory.clone(),
            queues,
            interrupt: self.interrupt.clone(),
            features: self.registers.driver_features,
        });
        match worker {
            Ok(worker) => self.thread.run(worker),
            Err(_) => self.interrupt.needs_reset(),
        }
    }

    /// `None` where the driver has not enabled it.
    fn queue(&self, index: usize) -> Result<Option<Queue>, Invalid> {
        let set = self.registers.queues.get(index).ok_or(Invalid)?;
        let max = self.device.queue_sizes().get(index).ok_or(Invalid)?;
        let kick = self.kicks.get(index).ok_or(Invalid)?;
        if !set.enabled {
            return Ok(None);
        }
        let event_idx = self.registers.driver_features & F_EVENT_IDX != 0;
        let ring = common::ring(set, *max, event_idx, &self.to.memory).ok_or(Invalid)?;
        Ok(Some(Queue::new(
            index,
            ring,
            self.to.memory.clone(),
            self.interrupt.clone(),
            kick.clone(),
        )))
    }

    /// The driver has written 0 to the status: what it set up is forgotten, the PCI function stays as it is.
    fn reset_device(&mut self) {
        drop(self.thread.stop());
        self.parked = None;
        self.device.reset();
        self.interrupt.reset();
        self.registers = initial_registers(self.device.as_ref());
        for kick in &self.kicks {
            let _ = kick.read();
        }
    }

    /// Moves the doorbells to where the BAR is now.
    fn decode(&mut self) {
        let wanted = self.config.bar();
        let wanted = wanted.filter(|bar| self.to.windows.hold(*bar, layout::BAR_SIZE));
        if wanted == self.decoded {
            return;
        }
        // Where the kernel takes no doorbell, notifications come as writes to the BAR.
        for (address, kick) in self.doorbells(self.decoded) {
            let _ = self.to.doorbells.detach(address, kick);
        }
        for (address, kick) in self.doorbells(wanted) {
            let _ = self.to.doorbells.attach(address, kick);
        }
        self.decoded = wanted;
    }

    fn doorbells(&self, bar: Option<u64>) -> impl Iterator<Item = (u64, &EventFd)> {
        let place = move |index: u64| {
            bar?.checked_add(layout::NOTIFY)?
                .checked_add(index.checked_mul(layout::NOTIFY_STRIDE)?)
        };
        let numbered = (0u64..).zip(&self.kicks);
        numbered.filter_map(move |(index, kick)| Some((place(index)?, kick.as_ref())))
    }

    fn read_bar(&mut self, offset: u64, data: &mut [u8]) {
        data.fill(0);
        match layout::part(offset) {
            Some((layout::Part::Common, at)) => self.read_common(at, data),
            Some((layout::Part::Device, at)) => self.device.read_config(at, data),
            Some((layout::Part::Table, at)) => self.msix.read_table(at, data),
            Some((layout::Part::Pending, at)) => self.msix.read_pending(at, data),
            Some((layout::Part::Isr | layout::Part::Notify, _)) | None => {}
        }
    }

    fn write_bar(&mut self, offset: u64, data: &[u8]) {
        match layout::part(offset) {
            Some((layout::Part::Common, at)) => self.write_common(at, data),
            Some((layout::Part::Device, at)) => self.device.write_config(at, data),
            Some((layout::Part::Table, at)) => self.msix.write_table(at, data),
            Some((layout::Part::Notify, at)) => {
                let index = usize::try_from(at / layout::NOTIFY_STRIDE).unwrap_or(usize::MAX);
                if let Some(kick) = self.kicks.get(index) {
                    let _ = kick.write(1);
                }
            }
            Some((layout::Part::Isr | layout::Part::Pending, _)) | None => {}
        }
    }

    /// Where in the BAR the window of the configuration space looks, and how wide.
    fn window(&self, length: usize) -> Option<u64> {
        let asked = self.config.u8(self.places.window.checked_add(12)?);
        let offset = self.config.u64(self.places.window.checked_add(8)?) & 0xffff_ffff;
        (usize::from(asked) == length).then_some(offset)
    }
}

struct Invalid;

fn initial_registers(device: &dyn VirtioDevice) -> Registers {
    let sizes = device.queue_sizes().iter();
    Registers {
        queues: sizes
            .map(|size| QueueRegisters {
                size: *size,
                ..QueueRegisters::default()
            })
            .collect(),
        ..Registers::default()
    }
}

impl PciFunction for VirtioPci {
    fn read_config(&mut self, offset: u16, data: &mut [u8]) {
        let through = (offset == self.places.window_data).then(|| self.window(data.len()));
        match through.flatten() {
            Some(at) => self.read_bar(at, data),
            None => self.config.read(offset, data),
        }
    }

    fn write_config(&mut self, offset: u16, data: &[u8]) {
        self.config.write(offset, data);
        match offset {
            COMMAND..=7 => self.decode(),
            _ if (BAR_0..0x18).contains(&offset) => self.decode(),
            _ if offset == self.places.window_data => {
                if let Some(at) = self.window(data.len()) {
                    self.write_bar(at, data);
                }
            }
            _ => {
                let control = self.config.u8(self.places.msix_control);
                self.msix.set_control(control);
            }
        }
    }

    fn read_memory(&mut self, address: u64, data: &mut [u8]) -> bool {
        match self.within_bar(address) {
            Some(offset) => {
                self.read_bar(offset, data);
                true
            }
            None => false,
        }
    }

    fn write_memory(&mut self, address: u64, data: &[u8]) -> bool {
        match self.within_bar(address) {
            Some(offset) => {
                self.write_bar(offset, data);
                true
            }
            None => false,
        }
    }

    fn reset(&mut self) {
        self.reset_device();
        self.config = self.initial.clone();
        self.msix.reset();
        self.decode();
    }
}

impl VirtioPci {
    fn within_bar(&self, address: u64) -> Option<u64> {
        let offset = address.checked_sub(self.decoded?)?;
        (offset < layout::BAR_SIZE).then_some(offset)
    }
}

#[cfg(test)]
mod tests;
