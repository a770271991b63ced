//! What is told of a disk: what it did, how long that took, and that it failed. Shared by the disk's worker and whoever asks.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::io::Errno;

use crate::bus::lock;
use crate::power::PowerSink;

/// What disks count, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Read,
    Write,
    Flush,
    /// Discards and zeroes.
    Unmap,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of those that were done.
    pub operations: u64,
    pub bytes: u64,
    pub nanoseconds: u64,
    /// The storage could not.
    pub failed: u64,
    /// The guest has asked for what there is not.
    pub invalid: u64,
}

/// Why a guest was stopped: its request waits until it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub operation: Operation,
    pub error: Errno,
}

impl Failure {
    pub fn is_full(self) -> bool {
        self.error == Errno::NOSPC
    }
}

pub struct Monitor {
    name: String,
    counters: [Counters; 4],
    failure: Mutex<Failed>,
    wake: PowerSink,
}

#[derive(Default)]
struct Counters {
    operations: AtomicU64,
    bytes: AtomicU64,
    nanoseconds: AtomicU64,
    failed: AtomicU64,
    invalid: AtomicU64,
}

#[derive(Default)]
struct Failed {
    failure: Option<Failure>,
    told: bool,
}

impl Monitor {
    pub(super) fn new(name: String, wake: PowerSink) -> Monitor {
        Monitor {
            name,
            counters: Default::default(),
            failure: Mutex::default(),
            wake,
        }
    }

    /// The disk's, by the plan.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn counts(&self, operation: Operation) -> Counts {
        let counters = self.of(operation);
        let get = |it: &AtomicU64| it.load(Ordering::Relaxed);
        Counts {
            operations: get(&counters.operations),
            bytes: get(&counters.bytes),
            nanoseconds: get(&counters.nanoseconds),
            failed: get(&counters.failed),
            invalid: get(&counters.invalid),
        }
    }

    /// Since the guest last went on.
    pub fn failure(&self) -> Option<Failure> {
        lock(&self.failure).failure
    }

    /// Once for each failure.
    pub fn untold_failure(&self) -> Option<Failure> {
        let mut failed = lock(&self.failure);
        let told = std::mem::replace(&mut failed.told, true);
        failed.failure.filter(|_| !told)
    }

    /// The guest goes on, and what failed is tried again; or nobody wants it any more.
    pub fn clear_failure(&self) {
        *lock(&self.failure) = Failed::default();
    }

    pub(super) fn fail(&self, failure: Failure) {
        *lock(&self.failure) = Failed {
            failure: Some(failure),
            told: false,
        };
        self.wake.wake();
    }

    pub(super) fn count_done(&self, operation: Operation, bytes: u64, took: Duration) {
        let counters = self.of(operation);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        counters.operations.fetch_add(1, Ordering::Relaxed);
        counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        counters
            .nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn count_failed(&self, operation: Operation) {
        self.of(operation).failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_invalid(&self, operation: Operation) {
        self.of(operation).invalid.fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, operation: Operation) -> &Counters {
        let [read, write, flush, unmap] = &self.counters;
        match operation {
            Operation::Read => read,
            Operation::Write => write,
            Operation::Flush => flush,
            Operation::Unmap => unmap,
        }
    }
}
