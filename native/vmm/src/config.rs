//! What machine to be: one JSON text in the arguments, in which descriptors stand by number. It comes from the launcher's plan;
//! nothing in it is a path.

mod card;
mod disk;

use std::collections::BTreeSet;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use serde::Deserialize;

pub use card::Card;
pub use disk::Disk;

use crate::error::{Fault, OrFault, Result};
use crate::layout::{MIB, PAGE};

/// MADT and CPUID have 8 bits for an APIC id, the highest of which means all.
const MAX_CPUS: u8 = 254;
const MIN_MEMORY: u64 = 32 * MIB;
const MAX_MEMORY: u64 = 1 << 40;

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Bytes, in whole pages.
    pub memory: u64,
    pub cpus: u8,
    /// `/dev/kvm`, open.
    pub kvm: RawFd,
    /// The socket of the control protocol.
    pub control: RawFd,
    /// The socket of the first serial port.
    pub serial: RawFd,
    pub boot: Boot,
    /// In the order of their slots.
    #[serde(default)]
    pub devices: Vec<Device>,
    /// Slots that stay free.
    #[serde(default = "four")]
    pub spare_ports: u8,
    #[serde(default)]
    pub on_reset: OnReset,
}

fn four() -> u8 {
    4
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind",
    deny_unknown_fields
)]
pub enum Device {
    Rng,
    Block(Disk),
    Net(Card),
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Boot {
    /// bzImage or ELF, open for reading; the machine boots from it again at each reset.
    pub kernel: RawFd,
    #[serde(default)]
    pub initrd: Option<RawFd>,
    #[serde(default)]
    pub command_line: String,
}

/// What becomes of a guest that resets itself.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum OnReset {
    /// It boots again.
    #[default]
    Boot,
    /// The engine ends.
    End,
}

impl Config {
    pub fn parse(text: &str) -> Result<Config> {
        let config: Config = serde_json::from_str(text).or_fault("the machine's description")?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let fault = |text: String| Err(Fault::new(format!("the machine's description: {text}")));
        if !(1..=MAX_CPUS).contains(&self.cpus) {
            return fault(format!("cpus is {}, not 1 to {MAX_CPUS}", self.cpus));
        }
        if !(MIN_MEMORY..=MAX_MEMORY).contains(&self.memory) || !self.memory.is_multiple_of(PAGE) {
            return fault(format!(
                "memory is {} bytes, not whole pages from {MIN_MEMORY} to {MAX_MEMORY}",
                self.memory
            ));
        }
        if self.boot.command_line.contains('\0') {
            return fault("the command line has a zero byte".into());
        }
        let mut seen = BTreeSet::new();
        for fd in self.descriptors() {
            if fd <= libc::STDERR_FILENO || !seen.insert(fd) {
                return fault(format!("descriptor {fd} is a standard one or named twice"));
            }
        }
        self.check_disks()?;
        self.check_cards()
    }

    fn check_disks(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        for disk in self.disks() {
            if disk.name.is_empty() || !names.insert(&disk.name) {
                let text = "the name of a disk is empty or another's";
                return Err(Fault::new(format!("{text}: {}", disk.name)));
            }
            disk.check()?;
        }
        Ok(())
    }

    fn check_cards(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        for card in self.cards() {
            if card.name.is_empty() || !names.insert(&card.name) {
                let text = "the name of a card is empty or another's";
                return Err(Fault::new(format!("{text}: {}", card.name)));
            }
            card.check()?;
        }
        Ok(())
    }

    fn cards(&self) -> impl Iterator<Item = &Card> {
        self.devices.iter().filter_map(|device| match device {
            Device::Net(card) => Some(card),
            Device::Rng | Device::Block(_) => None,
        })
    }

    fn disks(&self) -> impl Iterator<Item = &Disk> {
        self.devices.iter().filter_map(|device| match device {
            Device::Block(disk) => Some(disk),
            Device::Rng | Device::Net(_) => None,
        })
    }

    fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        [self.kvm, self.control, self.serial, self.boot.kernel]
            .into_iter()
            .chain(self.boot.initrd)
            .chain(self.disks().map(|disk| disk.fd))
            .chain(self.cards().flat_map(Card::descriptors))
    }
}

/// Takes over a descriptor that this process was started with; each number once.
pub fn inherit(fd: RawFd, what: &str) -> Result<OwnedFd> {
    let doing = format!("the descriptor {fd} of the {what}");
    // SAFETY: only looked at, and if nothing is open there the call says so.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    fcntl_getfd(borrowed).or_fault(&doing)?;
    fcntl_setfd(borrowed, FdFlags::CLOEXEC).or_fault(&doing)?;
    // SAFETY: it is open, and `Config::check` has seen to it that nothing else here takes this number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(super) fn good() -> Value {
        json!({
            "memory": 128 * MIB, "cpus": 2, "kvm": 3, "control": 4, "serial": 5,
            "boot": {"kernel": 6, "initrd": 7, "commandLine": "console=ttyS0"},
        })
    }

    pub(super) fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut value = good();
        change(&mut value);
        Config::parse(&value.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn takes_a_whole_description() {
        let config = Config::parse(&good().to_string()).unwrap();
        assert_eq!(config.boot.initrd, Some(7));
        assert_eq!(config.on_reset, OnReset::Boot);
    }

    #[test]
    fn what_it_does_not_know_it_refuses() {
        assert!(refusal(|it| it["disk"] = json!("/dev/sda")).contains("disk"));
        assert!(refusal(|it| it["boot"]["path"] = json!("/vmlinuz")).contains("path"));
        assert!(refusal(|it| it["onReset"] = json!("halt")).contains("halt"));
    }

    #[test]
    fn bounds_are_named() {
        assert!(refusal(|it| it["cpus"] = json!(0)).contains("1 to 254"));
        assert!(refusal(|it| it["cpus"] = json!(255)).contains("1 to 254"));
        assert!(refusal(|it| it["memory"] = json!(MIB)).contains("memory is"));
        assert!(refusal(|it| it["memory"] = json!(128 * MIB + 1)).contains("whole pages"));
        assert!(refusal(|it| it["boot"]["commandLine"] = json!("a\0b")).contains("zero byte"));
    }

    #[test]
    fn each_descriptor_has_one_use() {
        assert!(refusal(|it| it["serial"] = json!(3)).contains("descriptor 3"));
        assert!(refusal(|it| it["boot"]["initrd"] = json!(6)).contains("descriptor 6"));
        assert!(refusal(|it| it["kvm"] = json!(1)).contains("descriptor 1"));
        assert!(refusal(|it| it["kvm"] = json!(-1)).contains("descriptor -1"));
    }

    #[test]
    fn a_closed_descriptor_is_not_inherited() {
        let error = inherit(999, "kernel").unwrap_err().to_string();
        assert!(
            error.starts_with("the descriptor 999 of the kernel"),
            "{error}"
        );
    }
}
