//! The queue of virtio-rng: a source of random bytes, for which there is nothing else to be said.

use wherry_devices::virtio::rng::Rng;

use super::driver::serve;
use crate::Bytes;

pub fn run(bytes: &[u8]) {
    serve(&mut Rng::default(), &mut Bytes::new(bytes));
}
