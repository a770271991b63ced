//! `wherry-vmm MACHINE`: runs the machine that the JSON text describes (`config.rs`) until its guest ends.

use std::fs::File;
use std::process::ExitCode;
use std::sync::Arc;

use vmm_sys_util::eventfd::EventFd;
use wherry_devices::power::{self, PowerSink};
use wherry_devices::virtio::VirtioDevice;
use wherry_devices::virtio::block::Block;
use wherry_devices::virtio::net::{self, Link, Net};
use wherry_devices::virtio::rng::Rng;
use wherry_vmm::boot::Boot;
use wherry_vmm::config::{Card, Config, Device, Disk, inherit};
use wherry_vmm::control::Channel;
use wherry_vmm::engine::{Engine, Handles};
use wherry_vmm::error::{OrFault, Result};
use wherry_vmm::machine::{Hooks, Machine, Parts};
use wherry_vmm::sandbox::{Class, Filter, give_up_privileges};

fn main() -> ExitCode {
    // A thread that is at its wits' end takes the process with it: half a machine helps nobody.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("wherry-vmm: {panic}");
        std::process::abort();
    }));
    let mut arguments = std::env::args().skip(1);
    let (Some(machine), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: wherry-vmm MACHINE (a JSON text)");
        return ExitCode::from(2);
    };
    match run(&machine) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("wherry-vmm: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(machine: &str) -> Result<()> {
    let config = Config::parse(machine)?;
    give_up_privileges()?;
    let kvm = inherit(config.kvm, "KVM")?;
    let console = inherit(config.serial, "serial port")?;
    rustix::io::ioctl_fionbio(&console, true).or_fault("the console")?;
    let channel = Channel::new(inherit(config.control, "control protocol")?)?;
    let boot = Boot {
        kernel: File::from(inherit(config.boot.kernel, "kernel")?),
        initrd: match config.boot.initrd {
            Some(fd) => Some(File::from(inherit(fd, "initrd")?)),
            None => None,
        },
        command_line: config.boot.command_line,
    };
    let vcpu = Filter::new(Class::Vcpu)?;
    let (power, events) = power::channel().or_fault("making a channel")?;
    let (virtio, handles) = devices(config.devices, &power)?;
    let drained = EventFd::new(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC).or_fault("an eventfd")?;
    let hooks = Hooks {
        power,
        drained: drained.try_clone().or_fault("an eventfd")?,
        confine_vcpu: Arc::new(move || vcpu.apply()),
        start_device: Arc::new(|kind| {
            let filter = Filter::new(Class::Device(kind)).and_then(|it| it.apply());
            filter.map_err(std::io::Error::other)
        }),
    };
    let parts = Parts {
        kvm,
        console,
        boot,
        memory: config.memory,
        cpus: config.cpus,
        virtio,
        spare_ports: usize::from(config.spare_ports),
    };
    let machine = Machine::new(parts, hooks)?;
    // The control thread is the last: the others were made by it.
    Filter::new(Class::Control)?.apply()?;
    Engine::new(machine, handles, channel, events, drained, config.on_reset).serve()
}

/// The devices, and how the engine reaches them.
fn devices(wanted: Vec<Device>, wake: &PowerSink) -> Result<(Vec<Box<dyn VirtioDevice>>, Handles)> {
    let mut made: Vec<Box<dyn VirtioDevice>> = Vec::new();
    let mut handles = Handles::default();
    for device in wanted {
        match device {
            Device::Rng => made.push(Box::new(Rng::default())),
            Device::Block(disk) => {
                let block = block(disk, wake.clone())?;
                handles.disks.push(block.monitor());
                made.push(Box::new(block));
            }
            Device::Net(card) => {
                let link = Link::new(true).or_fault("an eventfd")?;
                handles.links.insert(card.name.clone(), link.clone());
                made.push(Box::new(net(card, link)?));
            }
        }
    }
    Ok((made, handles))
}

fn net(card: Card, link: Link) -> Result<Net> {
    let what = format!("card {}", card.name);
    let tap = inherit(card.tap, &what)?;
    let vhost = card.vhost.map(|fd| inherit(fd, &what)).transpose()?;
    let (tap, vhost) = net::attach(tap, vhost).or_fault(&what)?;
    let settings = net::Settings {
        mac: card.mac.0,
        mtu: card.mtu,
    };
    Ok(Net::new(settings, Arc::new(tap), vhost, link))
}

fn block(disk: Disk, wake: PowerSink) -> Result<Block> {
    let what = format!("disk {}", disk.name);
    let fd = inherit(disk.fd, &what)?;
    Block::new(fd, disk.options(), wake).or_fault(&what)
}
