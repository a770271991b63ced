//! What QMP says of disks, from their monitors.

use serde_json::{Value, json};
use wherry_devices::virtio::block::{Counts, Failure, Monitor, Operation};

/// The answer to `query-blockstats`.
pub fn block_stats<'a>(disks: impl IntoIterator<Item = &'a Monitor>) -> Value {
    disks.into_iter().map(stats).collect()
}

/// The answer to `query-block`.
pub fn block<'a>(disks: impl IntoIterator<Item = &'a Monitor>) -> Value {
    let answer = |disk: &Monitor| {
        json!({
            "device": "",
            "qdev": disk.name(),
            "type": "unknown",
            "removable": false,
            "locked": false,
            "io-status": match disk.failure() {
                None => "ok",
                Some(failure) if failure.is_full() => "nospace",
                Some(_) => "failed",
            },
        })
    };
    disks.into_iter().map(answer).collect()
}

/// The data of `BLOCK_IO_ERROR` for a failure that stops the guest.
pub fn io_error(disk: &str, failure: Failure) -> Value {
    json!({
        "device": "",
        "qom-path": disk,
        "operation": if failure.operation == Operation::Read { "read" } else { "write" },
        "action": "stop",
        "nospace": failure.is_full(),
        "reason": failure.error.to_string(),
    })
}

fn stats(disk: &Monitor) -> Value {
    let operations = [
        ("rd", Operation::Read),
        ("wr", Operation::Write),
        ("flush", Operation::Flush),
        ("unmap", Operation::Unmap),
    ];
    let counts = operations
        .into_iter()
        .flat_map(|(name, operation)| fields(name, disk.counts(operation)));
    json!({
        "device": "",
        "qdev": disk.name(),
        "stats": counts.collect::<serde_json::Map<_, _>>(),
    })
}

fn fields(name: &str, counts: Counts) -> impl Iterator<Item = (String, Value)> {
    // A flush has no length.
    let bytes = (name != "flush").then(|| (format!("{name}_bytes"), counts.bytes));
    let others = [
        (format!("{name}_operations"), counts.operations),
        (format!("{name}_total_time_ns"), counts.nanoseconds),
        (format!("failed_{name}_operations"), counts.failed),
        (format!("invalid_{name}_operations"), counts.invalid),
    ];
    let all = bytes.into_iter().chain(others);
    all.map(|(name, count)| (name, count.into()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use rustix::io::Errno;
    use wherry_devices::power;
    use wherry_devices::virtio::block::{Block, Cache, OnError, Options};

    use super::*;

    fn disk(name: &str) -> Block {
        let file = rustix::fs::memfd_create("disk", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        File::from(file.try_clone().unwrap()).set_len(4096).unwrap();
        let options = Options {
            name: name.into(),
            read_only: false,
            serial: String::new(),
            logical_block: 512,
            physical_block: 512,
            discard_granularity: 512,
            cache: Cache::Writeback,
            discard: true,
            on_error: OnError::Stop,
        };
        Block::new(file, options, power::channel().unwrap().0).unwrap()
    }

    #[test]
    fn counters_have_qmps_names() {
        let disks = [disk("disk-a"), disk("disk-b")].map(|it| it.monitor());
        let answer = block_stats(disks.iter().map(AsRef::as_ref));
        assert_eq!(answer[1]["qdev"], "disk-b");
        let stats = answer[0]["stats"].as_object().unwrap();
        let names = [
            "rd_bytes",
            "wr_bytes",
            "unmap_bytes",
            "rd_operations",
            "wr_operations",
            "flush_operations",
            "unmap_operations",
            "rd_total_time_ns",
            "wr_total_time_ns",
            "flush_total_time_ns",
            "unmap_total_time_ns",
            "failed_rd_operations",
            "failed_wr_operations",
            "failed_flush_operations",
            "failed_unmap_operations",
            "invalid_rd_operations",
            "invalid_wr_operations",
            "invalid_flush_operations",
            "invalid_unmap_operations",
        ];
        for name in names {
            assert_eq!(stats[name], 0, "{name}");
        }
        assert_eq!(stats.len(), names.len());
    }

    #[test]
    fn a_disk_that_has_not_failed_is_well() {
        let disk = disk("disk-a").monitor();
        let answer = block([disk.as_ref()]);
        assert_eq!(answer[0]["qdev"], "disk-a");
        assert_eq!(answer[0]["io-status"], "ok");
    }

    #[test]
    fn an_error_says_what_failed_and_why() {
        let failure = |operation, error| io_error("disk-a", Failure { operation, error });
        let full = failure(Operation::Flush, Errno::NOSPC);
        assert_eq!(full["operation"], "write");
        assert_eq!(full["nospace"], true);
        assert_eq!(full["action"], "stop");
        assert_eq!(full["qom-path"], "disk-a");
        let broken = failure(Operation::Read, Errno::IO);
        assert_eq!(broken["operation"], "read");
        assert_eq!(broken["nospace"], false);
        assert!(broken["reason"].as_str().unwrap().contains("error"));
    }
}
