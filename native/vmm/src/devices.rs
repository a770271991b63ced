//! The machine's devices, made and put at their places.

use std::fs::File;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use vm_memory::GuestMemoryAtomic;
use vmm_sys_util::eventfd::EventFd;
use wherry_devices::bus::{Bus, BusDevice, lock};
use wherry_devices::cmos::Cmos;
use wherry_devices::i8042::I8042;
use wherry_devices::interrupt::InterruptLine;
use wherry_devices::ioapic::{IoApic, Pin};
use wherry_devices::pci::root_complex::{Ecam, Window};
use wherry_devices::pci::{PciFunction, RootComplex, Windows};
use wherry_devices::power::{PowerBoard, PowerSink};
use wherry_devices::pvpanic::PvPanic;
use wherry_devices::serial::SerialPort;
use wherry_devices::virtio::pci::{Connections, VirtioPci};
use wherry_devices::virtio::{Kind, StartThread, VirtioDevice};

use crate::cpu::exits::Board;
use crate::error::{Fault, OrFault, Result};
use crate::kvm::Interrupts;
use crate::layout;
use crate::memory::Memory;

/// What the devices of a machine are made of.
pub struct Parts<'a> {
    pub memory: &'a Memory,
    pub interrupts: &'a Interrupts,
    pub console: OwnedFd,
    pub virtio: Vec<Box<dyn VirtioDevice>>,
    /// Root ports without a device.
    pub spare_ports: usize,
    pub pci_high: Option<Range<u64>>,
    pub power: PowerSink,
    /// Counted up when the serial port has room again.
    pub drained: EventFd,
    pub start_thread: StartThread,
}

pub struct Devices {
    pub serial: Arc<Mutex<SerialPort>>,
    power: Arc<Mutex<PowerBoard>>,
    ioapic: Arc<Mutex<IoApic>>,
    complex: Arc<Mutex<RootComplex>>,
    virtio: Vec<Arc<Mutex<VirtioPci>>>,
    windows: Vec<Range<u64>>,
    sink: PowerSink,
}

impl Devices {
    pub fn new(parts: Parts<'_>) -> Result<Devices> {
        let ioapic = IoApic::new(Arc::new(parts.interrupts.clone()));
        let ioapic = Arc::new(Mutex::new(ioapic));
        let line = |pin| -> Arc<dyn InterruptLine> { Arc::new(Pin::new(ioapic.clone(), pin)) };
        let console = File::from(parts.console);
        let serial = SerialPort::new(console, line(layout::COM1_PIN), parts.drained);
        let power = PowerBoard::new(parts.power.clone(), line(layout::EVENT_PIN));
        let windows: Vec<_> = [layout::PCI_LOW]
            .into_iter()
            .chain(parts.pci_high)
            .collect();
        let to = Connections {
            memory: GuestMemoryAtomic::new(parts.memory.ram().clone()),
            vectors: Arc::new(parts.interrupts.clone()),
            doorbells: Arc::new(parts.interrupts.clone()),
            windows: Windows(windows.clone()),
            start_thread: parts.start_thread,
        };
        let virtio = functions(parts.virtio, &to)?;
        let mut in_slots: Vec<Arc<Mutex<dyn PciFunction>>> = Vec::new();
        for function in &virtio {
            in_slots.push(function.clone());
        }
        let complex = RootComplex::new(in_slots, parts.spare_ports)
            .map_err(|_| Fault::new("more devices than PCI has slots for"))?;
        Ok(Devices {
            serial: Arc::new(Mutex::new(serial)),
            power: Arc::new(Mutex::new(power)),
            ioapic,
            complex: Arc::new(Mutex::new(complex)),
            virtio,
            windows,
            sink: parts.power,
        })
    }

    /// Everything at its address, for the vCPUs.
    pub fn board(&self) -> Result<Board> {
        let overlap = |_| Fault::new("two devices are at one address");
        let mut ports = Bus::default();
        let clock = Cmos::new();
        let keyboard = I8042::new(self.sink.clone());
        let panic = PvPanic::new(self.sink.clone());
        let at_ports: [(_, Arc<Mutex<dyn BusDevice>>); 5] = [
            (layout::COM1, self.serial.clone()),
            (layout::POWER, self.power.clone()),
            (layout::CMOS, Arc::new(Mutex::new(clock))),
            (layout::I8042, Arc::new(Mutex::new(keyboard))),
            (layout::PVPANIC, Arc::new(Mutex::new(panic))),
        ];
        for (range, device) in at_ports {
            ports.insert(range, device).map_err(overlap)?;
        }
        let mut memory = Bus::default();
        let ecam = Ecam(self.complex.clone());
        let in_memory: [(_, Arc<Mutex<dyn BusDevice>>); 2] = [
            (layout::IOAPIC, self.ioapic.clone()),
            (layout::ECAM, Arc::new(Mutex::new(ecam))),
        ];
        for (range, device) in in_memory {
            memory.insert(range, device).map_err(overlap)?;
        }
        for range in self.windows.clone() {
            let window = Window {
                complex: self.complex.clone(),
                start: range.start,
            };
            memory
                .insert(range, Arc::new(Mutex::new(window)))
                .map_err(overlap)?;
        }
        Ok(Board {
            ports,
            memory,
            ioapic: self.ioapic.clone(),
            power: self.sink.clone(),
        })
    }

    /// No vCPU runs. Returns when no device touches guest memory.
    pub fn pause(&self) {
        self.virtio.iter().for_each(|device| lock(device).pause());
    }

    pub fn resume(&self) {
        self.virtio.iter().for_each(|device| lock(device).resume());
    }

    /// As after power-on. No vCPU runs.
    pub fn reset(&self) {
        lock(&self.complex).reset();
        lock(&self.ioapic).reset();
        lock(&self.power).reset();
        lock(&self.serial).reset();
    }

    /// Of each virtio device, in the order of the slots: its kind and what it has counted.
    pub fn counters(&self) -> Vec<(Kind, Vec<(&'static str, u64)>)> {
        let devices = self.virtio.iter().map(|it| lock(it));
        devices.map(|it| (it.kind(), it.counters())).collect()
    }

    pub fn press_power_button(&self) {
        lock(&self.power).press_button();
    }
}

fn functions(
    devices: Vec<Box<dyn VirtioDevice>>,
    to: &Connections,
) -> Result<Vec<Arc<Mutex<VirtioPci>>>> {
    let numbered = devices.into_iter().enumerate();
    numbered
        .map(|(number, device)| {
            let function = VirtioPci::new(device, number, to.clone());
            let function = function.or_fault("making a virtio device")?;
            Ok(Arc::new(Mutex::new(function)))
        })
        .collect()
}
