//! Configuration space and BARs of two functions behind their root ports: a BAR is decoded in its windows and nowhere else, and a
//! reset makes everything what it was.

use std::sync::{Arc, Mutex};

use wherry_devices::bus::BusDevice;
use wherry_devices::fuzzing::Vectors;
use wherry_devices::pci::root_complex::{Ecam, Window};
use wherry_devices::pci::{PciFunction, RootComplex, Windows};
use wherry_devices::virtio::pci::{Connections, VirtioPci};
use wherry_devices::virtio::rng::Rng;

use super::seams::{Bells, memory};
use crate::Bytes;

const LOW: u64 = 0xc000_0000;
const HIGH: u64 = 1 << 32;
const SIZE: u64 = 0x1000_0000;
const FUNCTIONS: u64 = 2;
/// One more root port is empty.
const PORTS: u64 = FUNCTIONS + 1;

pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let windows = Windows(vec![LOW..LOW + SIZE, HIGH..HIGH + SIZE]);
    let bells = Arc::new(Bells {
        windows: windows.clone(),
        hung: Mutex::default(),
    });
    let functions = (0..FUNCTIONS).map(|number| function(number as usize, &windows, &bells));
    let complex = RootComplex::new(functions.collect(), 1).expect("room");
    let complex = Arc::new(Mutex::new(complex));
    let mut ecam = Ecam(complex.clone());
    let mut windows = [LOW, HIGH].map(|start| Window {
        complex: complex.clone(),
        start,
    });
    let initial = space(&mut ecam);
    while !bytes.is_empty() {
        step(&mut bytes, &mut ecam, &mut windows, &complex);
    }
    complex.lock().expect("whole").reset();
    assert!(space(&mut ecam) == initial, "a reset leaves nothing");
    assert!(bells.hung.lock().expect("whole").is_empty());
}

fn function(number: usize, windows: &Windows, bells: &Arc<Bells>) -> Arc<Mutex<dyn PciFunction>> {
    let to = Connections {
        memory: memory(64 << 10),
        vectors: Arc::new(Vectors::default()),
        doorbells: bells.clone(),
        windows: windows.clone(),
        start_thread: Arc::new(|_| Ok(())),
    };
    let function = VirtioPci::new(Box::new(Rng::default()), number, to);
    Arc::new(Mutex::new(function.expect("a thread")))
}

fn step(
    bytes: &mut Bytes<'_>,
    ecam: &mut Ecam,
    windows: &mut [Window; 2],
    complex: &Arc<Mutex<RootComplex>>,
) {
    let kind = bytes.byte();
    let place = u16::from_le_bytes([bytes.byte(), bytes.byte()]);
    let mut data = [0; 8];
    let length = usize::from(bytes.byte() % 9);
    let data = &mut data[..length];
    match kind % 8 {
        0 => complex.lock().expect("whole").reset(),
        1 | 2 => {
            let content = bytes.take(length);
            data[..content.len()].copy_from_slice(content);
            let window = &mut windows[usize::from(kind >> 7)];
            window.write(u64::from(place), data);
        }
        3 => windows[usize::from(kind >> 7)].read(u64::from(place), data),
        4 => ecam.read(address(kind, place), data),
        _ => {
            let content = bytes.take(length);
            data[..content.len()].copy_from_slice(content);
            ecam.write(address(kind, place), data);
        }
    }
}

/// Of one of the first buses and devices, where there is something to be found.
fn address(kind: u8, place: u16) -> u64 {
    let bus = u64::from(kind >> 3 & 3);
    let device = u64::from(kind >> 5 & 3);
    bus << 20 | device << 15 | u64::from(place & 0xfff)
}

/// What the bus shows before anybody has numbered the buses behind the root ports.
fn space(ecam: &mut Ecam) -> Vec<u8> {
    let mut all = Vec::new();
    for device in 0..=PORTS {
        for register in (0..0x100).step_by(4) {
            let mut word = [0; 4];
            ecam.read(device << 15 | register, &mut word);
            all.extend(word);
        }
    }
    // And one function, reached through its port.
    let bus = 1 << 15 | 0x18;
    let mut before = [0; 4];
    ecam.read(bus, &mut before);
    ecam.write(bus, &[0, 1, 1, 0]);
    for register in (0..0x100).step_by(4) {
        let mut word = [0; 4];
        ecam.read(1 << 20 | register, &mut word);
        all.extend(word);
    }
    ecam.write(bus, &before);
    all
}
