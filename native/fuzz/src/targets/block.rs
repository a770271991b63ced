//! The queue of a disk: whatever lies in the guest's memory, the disk keeps its bounds and its worker comes back.

use wherry_devices::power;
use wherry_devices::virtio::block::{Block, Cache, OnError, Options};

use super::driver::serve;
use super::seams::file;
use crate::Bytes;

const DISK_BYTES: u64 = 64 << 10;

pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let choice = bytes.byte();
    let options = Options {
        name: "disk-fuzz".into(),
        read_only: choice & 1 != 0,
        serial: "fuzz".into(),
        logical_block: if choice & 2 != 0 { 4096 } else { 512 },
        physical_block: 4096,
        discard_granularity: 4096,
        cache: if choice & 4 != 0 {
            Cache::Writeback
        } else {
            Cache::Writethrough
        },
        discard: choice & 8 != 0,
        on_error: OnError::Stop,
    };
    let file = file(DISK_BYTES);
    let own = file.try_clone().expect("a descriptor").into();
    let (wake, _events) = power::channel().expect("a channel");
    let mut block = Block::new(own, options, wake).expect("a disk");
    let monitor = block.monitor();
    serve(&mut block, &mut bytes);
    let length = file.metadata().expect("its length").len();
    assert_eq!(length, DISK_BYTES);
    // The storage can do all that a request within bounds asks for.
    assert_eq!(monitor.failure(), None);
}
