//! virtio-rng: fills what the driver offers with random bytes. Also the smallest example of a device.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::rand::{GetRandomFlags, getrandom};

use super::{Activation, Chain, DeviceState, Kind, Queue, Refused, VirtioDevice, Worker};
use crate::memory::Ram;

const QUEUE_SIZE: u16 = 64;
/// The most that one request gets, whatever it asks for.
const MAX_BYTES: usize = 4096;

#[derive(Default)]
pub struct Rng {
    bytes: Arc<AtomicU64>,
}

impl VirtioDevice for Rng {
    fn kind(&self) -> Kind {
        Kind::Rng
    }

    fn queue_sizes(&self) -> &[u16] {
        &[QUEUE_SIZE]
    }

    fn activate(&mut self, activation: Activation) -> Result<Box<dyn Worker>, Refused> {
        let queue = activation.queues.into_iter().next().flatten();
        let queue = queue.ok_or(Refused)?;
        Ok(Box::new(RngWorker {
            queue,
            bytes: self.bytes.clone(),
        }))
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("bytes", self.bytes.load(Ordering::Relaxed))]
    }

    fn state(&self) -> DeviceState {
        DeviceState::Stateless
    }
}

struct RngWorker {
    queue: Queue,
    /// Given to the guest so far.
    bytes: Arc<AtomicU64>,
}

impl Worker for RngWorker {
    fn queues(&self) -> Vec<&Queue> {
        vec![&self.queue]
    }

    fn notified(&mut self, _: usize) {
        self.queue.serve(|ram, chain| {
            let written = fill(ram, chain);
            self.bytes.fetch_add(u64::from(written), Ordering::Relaxed);
            written
        });
    }
}

/// Returns how many bytes it wrote.
fn fill(ram: &Ram, chain: Chain) -> u32 {
    let Ok(mut writer) = chain.writer(ram) else {
        return 0;
    };
    let mut bytes = [0; MAX_BYTES];
    let wanted = writer.available_bytes().min(MAX_BYTES);
    let Some(bytes) = bytes.get_mut(..wanted) else {
        return 0;
    };
    let random = getrandom(&mut *bytes, GetRandomFlags::empty());
    let bytes = bytes.get(..random.unwrap_or(0)).unwrap_or_default();
    let written = writer.write(bytes).unwrap_or(0);
    u32::try_from(written).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use crate::testing::driver::{BUFFERS, Buffer, Driver, MEMORY};
    use crate::virtio::F_EVENT_IDX;

    use super::*;

    fn driver() -> Driver {
        let mut driver = Driver::new(Box::new(Rng::default()));
        driver.start(F_EVENT_IDX);
        driver
    }

    fn buffer(address: u64, length: u32) -> Buffer {
        Buffer {
            address,
            length,
            writable: true,
        }
    }

    #[test]
    fn fills_all_buffers_of_a_request() {
        let mut driver = driver();
        let buffers = [buffer(BUFFERS, 100), buffer(BUFFERS + 0x1000, 200)];
        assert_eq!(driver.request(0, &buffers), 300);
        for (address, length) in [(BUFFERS, 100), (BUFFERS + 0x1000, 200)] {
            let bytes = driver.bytes(address, length);
            assert!(bytes.iter().any(|byte| *byte != 0));
        }
        assert_eq!(driver.bytes(BUFFERS + 100, 100), [0; 100]);
        assert_eq!(driver.function.counters(), [("bytes", 300)]);
        // It has no configuration of its own.
        assert_eq!(driver.config(0, 8), 0);
    }

    #[test]
    fn a_request_for_gigabytes_gets_a_page() {
        let mut driver = driver();
        let all = buffer(0, u32::try_from(MEMORY).unwrap());
        // The ring lies at its end, out of the way of what is written.
        let rest = Buffer {
            address: BUFFERS,
            length: all.length - u32::try_from(BUFFERS).unwrap(),
            writable: true,
        };
        assert_eq!(driver.request(0, &[rest]), 4096);
    }

    #[test]
    fn buffers_that_are_not_there_or_not_to_be_written_get_nothing() {
        let mut driver = driver();
        assert_eq!(driver.request(0, &[buffer(MEMORY, 64)]), 0);
        assert_eq!(driver.request(0, &[buffer(u64::MAX - 3, 64)]), 0);
        let readable = Buffer {
            writable: false,
            ..buffer(BUFFERS, 64)
        };
        assert_eq!(driver.request(0, &[readable]), 0);
        assert_eq!(driver.request(0, &[buffer(BUFFERS, 64)]), 64);
    }

    #[test]
    fn a_chain_that_bites_its_tail_ends() {
        let mut driver = driver();
        driver.write_descriptor(0, 0, buffer(BUFFERS, 16), 1 | 2, 0);
        driver.make_available(0, 0);
        driver.notify(0);
        let (head, length) = driver.used(0);
        assert_eq!(head, 0);
        assert!(length <= 64 * 16);
    }

    #[test]
    fn a_ring_that_runs_ahead_needs_a_reset() {
        let mut driver = driver();
        driver.set_available_index(0, 1000);
        driver.notify(0);
        driver.wait_for_needs_reset();
        driver.start(0);
        assert_eq!(driver.request(0, &[buffer(BUFFERS, 64)]), 64);
    }

    #[test]
    fn a_head_that_is_no_descriptor_needs_a_reset() {
        let mut driver = driver();
        driver.make_available(0, 64);
        driver.notify(0);
        driver.wait_for_needs_reset();
    }
}
