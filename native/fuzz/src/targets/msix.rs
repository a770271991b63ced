//! An MSI-X table against a simple one: it reads back as it was written, and a vector is connected exactly where its entry says.

use wherry_devices::fuzzing::Vectors;
use wherry_devices::interrupt::{MsiMessage, MsiVector};
use wherry_devices::pci::msix::Msix;

use crate::Bytes;

const COUNT: usize = 3;

#[derive(Clone, Copy)]
struct Entry {
    words: [u32; 4],
}

pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let vectors = Vectors::default();
    let mut msix = Msix::new(COUNT as u16, &vectors).expect("vectors");
    let initial = [Entry {
        words: [0, 0, 0, 1],
    }; COUNT];
    let mut model = initial;
    let mut control = 0;
    while !bytes.is_empty() {
        match bytes.byte() % 5 {
            0 => {
                control = bytes.byte();
                msix.set_control(control);
            }
            1 => {
                msix.reset();
                model = initial;
                control = 0;
            }
            2 => {
                let vector = &vectors.all()[usize::from(bytes.byte()) % COUNT];
                vector.event().write(1).expect("room");
            }
            _ => write(&mut msix, &mut model, &mut bytes),
        }
        check(&msix, &model, control, &vectors);
    }
}

/// Where the specification allows it, the model follows.
fn write(msix: &mut Msix, model: &mut [Entry; COUNT], bytes: &mut Bytes<'_>) {
    let offset = usize::from(bytes.byte());
    let length = usize::from(bytes.byte() % 9);
    let data = bytes.take(length);
    msix.write_table(offset as u64, data);
    let whole = matches!(data.len(), 4 | 8) && offset.is_multiple_of(data.len());
    if !whole {
        return;
    }
    for (index, word) in data.as_chunks::<4>().0.iter().enumerate() {
        let at = offset / 4 + index;
        let value = u32::from_le_bytes(*word);
        if let Some(entry) = model.get_mut(at / 4) {
            entry.words[at % 4] = match at % 4 {
                0 => value & !3,
                3 => value & 1,
                _ => value,
            };
        }
    }
}

fn check(msix: &Msix, model: &[Entry; COUNT], control: u8, vectors: &Vectors) {
    let open = control & 0xc0 == 0x80;
    for (index, (entry, vector)) in model.iter().zip(vectors.all()).enumerate() {
        let [low, high, data, mask] = entry.words;
        let mut read = [0; 16];
        msix.read_table(index as u64 * 16, &mut read);
        let words = entry.words.map(u32::to_le_bytes).concat();
        assert_eq!(read[..], words, "entry {index}");
        let message = MsiMessage {
            address: u64::from(high) << 32 | u64::from(low),
            data,
        };
        let wanted = (open && mask == 0).then_some(message);
        assert_eq!(vector.connected(), wanted);
    }
    let mut pending = [0xff; 9];
    msix.read_pending(0, &mut pending);
    assert_eq!(pending[0] >> COUNT, 0);
    assert_eq!(pending[1..], [0; 8]);
}
