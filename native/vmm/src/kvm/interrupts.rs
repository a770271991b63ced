//! Interrupts and doorbells, as KVM does them: messages to the local APICs, eventfds that become messages, and writes that
//! become eventfds.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use kvm_bindings::{
    KVM_IRQ_ROUTING_MSI, KvmIrqRouting, kvm_irq_routing_entry, kvm_irq_routing_entry__bindgen_ty_1,
    kvm_irq_routing_msi, kvm_msi,
};
use kvm_ioctls::{IoEventAddress, NoDatamatch, VmFd};
use vmm_sys_util::eventfd::EventFd;
use wherry_devices::bus::lock;
use wherry_devices::interrupt::{Doorbells, LocalApics, MsiMessage, MsiVector, MsiVectors};
use wherry_devices::ioapic;

/// KVM takes no more (KVM_MAX_IRQ_ROUTES).
const MAX_ROUTES: u32 = 4096;

#[derive(Clone)]
pub struct Interrupts(Arc<Shared>);

struct Shared {
    vm: Arc<VmFd>,
    routes: Mutex<Routes>,
}

struct Routes {
    next: u32,
    /// By GSI. Those of the I/O APIC's pins tell KVM only which ends of interrupts to report.
    table: BTreeMap<u32, MsiMessage>,
}

impl Interrupts {
    pub fn new(vm: Arc<VmFd>) -> Interrupts {
        let routes = Routes {
            next: u32::from(ioapic::PINS),
            table: BTreeMap::new(),
        };
        Interrupts(Arc::new(Shared {
            vm,
            routes: Mutex::new(routes),
        }))
    }
}

impl Shared {
    /// Changes one route; KVM takes the whole table.
    fn route(&self, gsi: u32, message: Option<MsiMessage>) -> io::Result<()> {
        let mut routes = lock(&self.routes);
        let before = match message {
            Some(message) => routes.table.insert(gsi, message),
            None => routes.table.remove(&gsi),
        };
        if before == message {
            return Ok(());
        }
        let entries: Vec<_> = routes
            .table
            .iter()
            .map(|(gsi, it)| entry(*gsi, *it))
            .collect();
        let table =
            KvmIrqRouting::from_entries(&entries).map_err(|_| io::ErrorKind::OutOfMemory)?;
        Ok(self.vm.set_gsi_routing(&table)?)
    }
}

fn entry(gsi: u32, message: MsiMessage) -> kvm_irq_routing_entry {
    let msi = kvm_irq_routing_msi {
        address_lo: message.address as u32,
        address_hi: (message.address >> 32) as u32,
        data: message.data,
        ..Default::default()
    };
    kvm_irq_routing_entry {
        gsi,
        type_: KVM_IRQ_ROUTING_MSI,
        u: kvm_irq_routing_entry__bindgen_ty_1 { msi },
        ..Default::default()
    }
}

impl LocalApics for Interrupts {
    fn deliver(&self, message: MsiMessage) {
        let request = kvm_msi {
            address_lo: message.address as u32,
            address_hi: (message.address >> 32) as u32,
            data: message.data,
            ..Default::default()
        };
        // Refused where the guest has named a CPU that is not there: its own loss.
        let _ = self.0.vm.signal_msi(request);
    }

    fn pin_changed(&self, pin: u8, message: Option<MsiMessage>) {
        // Refused only without memory; then a level-triggered interrupt would come once.
        let _ = self.0.route(u32::from(pin), message);
    }
}

impl MsiVectors for Interrupts {
    fn allocate(&self) -> io::Result<Arc<dyn MsiVector>> {
        let event = EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC)?;
        let mut routes = lock(&self.0.routes);
        let gsi = routes.next;
        if gsi >= MAX_ROUTES {
            return Err(io::Error::other("more vectors than KVM routes"));
        }
        routes.next = gsi.saturating_add(1);
        Ok(Arc::new(Vector {
            shared: self.0.clone(),
            event,
            gsi,
            connected: Mutex::new(false),
        }))
    }
}

struct Vector {
    shared: Arc<Shared>,
    event: EventFd,
    gsi: u32,
    connected: Mutex<bool>,
}

impl MsiVector for Vector {
    fn event(&self) -> &EventFd {
        &self.event
    }

    fn connect(&self, message: MsiMessage) -> io::Result<()> {
        let mut connected = lock(&self.connected);
        self.shared.route(self.gsi, Some(message))?;
        if !*connected {
            self.shared.vm.register_irqfd(&self.event, self.gsi)?;
            *connected = true;
        }
        Ok(())
    }

    fn disconnect(&self) -> io::Result<()> {
        let mut connected = lock(&self.connected);
        if *connected {
            self.shared.vm.unregister_irqfd(&self.event, self.gsi)?;
            *connected = false;
        }
        Ok(())
    }
}

impl Doorbells for Interrupts {
    fn attach(&self, address: u64, event: &EventFd) -> io::Result<()> {
        let address = IoEventAddress::Mmio(address);
        Ok(self.0.vm.register_ioevent(event, &address, NoDatamatch)?)
    }

    fn detach(&self, address: u64, event: &EventFd) -> io::Result<()> {
        let address = IoEventAddress::Mmio(address);
        Ok(self.0.vm.unregister_ioevent(event, &address, NoDatamatch)?)
    }
}
