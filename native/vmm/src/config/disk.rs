//! A disk in the machine's description.

use std::os::fd::RawFd;

use serde::Deserialize;
use wherry_devices::virtio::block::{Cache, OnError, Options};

use crate::error::{Fault, Result};

/// Larger ones no stock kernel takes.
const MAX_BLOCK: u32 = 32 << 10;

/// A disk of virtio-blk.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disk {
    /// By which it goes in events and statistics, as `qdev`.
    pub name: String,
    /// A file or a block device, open for reading, and for writing unless it is read-only.
    pub fd: RawFd,
    #[serde(default)]
    read_only: bool,
    /// The guest is told the first 20 bytes.
    #[serde(default)]
    serial: String,
    /// Bytes: powers of two from 512 to 32 KiB.
    #[serde(default = "sector")]
    logical_block_size: u32,
    /// Bytes: a power of two; the logical block size where it is not given.
    #[serde(default)]
    physical_block_size: Option<u32>,
    /// Bytes, in whole logical blocks; one of them where it is not given.
    #[serde(default)]
    discard_granularity: Option<u32>,
    #[serde(default)]
    cache: Cache,
    /// What the guest discards is freed.
    #[serde(default = "yes")]
    discard: bool,
    #[serde(default)]
    on_error: OnError,
}

fn sector() -> u32 {
    512
}

fn yes() -> bool {
    true
}

impl Disk {
    pub(super) fn check(&self) -> Result<()> {
        let fault = |text: String| Err(Fault::new(format!("the disk {}: {text}", self.name)));
        let logical = self.logical_block_size;
        if !(512..=MAX_BLOCK).contains(&logical) || !logical.is_power_of_two() {
            let text = "is no power of two from 512 to";
            return fault(format!("logicalBlockSize {logical} {text} {MAX_BLOCK}"));
        }
        let physical = self.physical_block_size.unwrap_or(logical);
        if physical < logical || !physical.is_power_of_two() {
            return fault(format!(
                "physicalBlockSize {physical} is no power of two from {logical}"
            ));
        }
        let granularity = self.discard_granularity.unwrap_or(logical);
        if granularity < logical || !granularity.is_multiple_of(logical) {
            return fault(format!(
                "discardGranularity {granularity} is not in whole blocks of {logical}"
            ));
        }
        Ok(())
    }

    pub fn options(self) -> Options {
        let logical_block = self.logical_block_size;
        Options {
            name: self.name,
            read_only: self.read_only,
            serial: self.serial,
            logical_block,
            physical_block: self.physical_block_size.unwrap_or(logical_block),
            discard_granularity: self.discard_granularity.unwrap_or(logical_block),
            cache: self.cache,
            discard: self.discard,
            on_error: self.on_error,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::{good, refusal};
    use super::super::{Config, Device};
    use super::*;

    #[test]
    fn a_disk_needs_no_more_than_a_name_and_a_descriptor() {
        let mut value = good();
        value["devices"] = json!([{"kind": "rng"}, {"kind": "block", "name": "a", "fd": 8}]);
        let config = Config::parse(&value.to_string()).unwrap();
        let Some(Device::Block(disk)) = config.devices.into_iter().nth(1) else {
            panic!("no disk");
        };
        let options = disk.options();
        assert_eq!((options.logical_block, options.discard), (512, true));
        assert_eq!(options.physical_block, 512);
        assert_eq!(options.discard_granularity, 512);
        assert_eq!(options.on_error, OnError::Stop);
        assert_eq!(options.cache, Cache::Writeback);
        value["devices"][1] = json!({
            "kind": "block", "name": "a", "fd": 8, "readOnly": true, "serial": "S", "logicalBlockSize": 4096,
            "physicalBlockSize": 8192, "discardGranularity": 4096, "cache": "writethrough", "discard": false,
            "onError": "enospace",
        });
        let config = Config::parse(&value.to_string()).unwrap();
        assert_eq!(config.disks().count(), 1);
    }

    #[test]
    fn what_is_wrong_with_a_disk_is_named() {
        let refused = |changes: Value| {
            refusal(|it| {
                let mut disk = json!({"kind": "block", "name": "a", "fd": 8});
                for (name, value) in changes.as_object().unwrap() {
                    disk[name] = value.clone();
                }
                it["devices"] = json!([{"kind": "block", "name": "b", "fd": 9}, disk]);
            })
        };
        let cases = [
            (json!({"name": ""}), "empty or another's"),
            (json!({"name": "b"}), "empty or another's"),
            (json!({"fd": 9}), "descriptor 9"),
            (json!({"fd": 3}), "descriptor 3"),
            (json!({"path": "/dev/sda"}), "path"),
            (json!({"logicalBlockSize": 0}), "logicalBlockSize 0"),
            (json!({"logicalBlockSize": 520}), "logicalBlockSize 520"),
            (json!({"logicalBlockSize": 65536}), "logicalBlockSize 65536"),
            (json!({"physicalBlockSize": 256}), "physicalBlockSize 256"),
            (json!({"physicalBlockSize": 1000}), "physicalBlockSize 1000"),
            (json!({"discardGranularity": 0}), "discardGranularity 0"),
            (json!({"discardGranularity": 700}), "discardGranularity 700"),
            (json!({"cache": "none"}), "none"),
            (json!({"onError": "retry"}), "retry"),
        ];
        for (changes, text) in cases {
            let said = refused(changes.clone());
            assert!(said.contains(text), "{changes}: {said}");
        }
    }
}
