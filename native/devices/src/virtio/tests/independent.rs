//! Our devices under the drivers of the crate `virtio-drivers`.

use std::os::unix::fs::FileExt;

use virtio_drivers::device::blk::VirtIOBlk;
use virtio_drivers::device::net::VirtIONetRaw;
use virtio_drivers::device::rng::VirtIORng;
use virtio_drivers::transport::{DeviceType, Transport};

use super::{DISK_BYTES, MAC, card, disk, rng};
use crate::testing::dice::Dice;
use crate::testing::independent::{Board, Registers, Slot};

type Disk = VirtIOBlk<Board, Registers>;

#[test]
fn the_kinds_are_what_they_say() {
    assert_eq!(
        Slot::new(rng()).transport().device_type(),
        DeviceType::EntropySource
    );
    assert_eq!(
        Slot::new(disk().0).transport().device_type(),
        DeviceType::Block
    );
    assert_eq!(
        Slot::new(card().0).transport().device_type(),
        DeviceType::Network
    );
}

#[test]
fn entropy_fills_a_buffer() {
    let slot = Slot::new(rng());
    let mut rng = VirtIORng::<Board, _>::new(slot.transport()).unwrap();
    let mut bytes = [0; 256];
    for _ in 0..40 {
        bytes.fill(0);
        assert_eq!(rng.request_entropy(&mut bytes), Ok(256));
        assert!(bytes.iter().filter(|byte| **byte != 0).count() > 200);
    }
}

#[test]
fn a_disk_keeps_what_is_written() {
    let (device, file) = disk();
    let slot = Slot::new(device);
    let mut disk = Disk::new(slot.transport()).unwrap();
    assert_eq!(disk.capacity(), DISK_BYTES / 512);
    assert!(!disk.readonly());
    let mut id = [0; 20];
    assert_eq!(disk.device_id(&mut id), Ok(4));
    assert_eq!(&id[..5], b"1234\0");
    let mut dice = Dice::new(7);
    let mut model = vec![0; DISK_BYTES as usize];
    for _ in 0..200 {
        let block = dice.below(DISK_BYTES / 512 - 8) as usize;
        let range = block * 512..(block + 1 + dice.below(8) as usize) * 512;
        if dice.below(2) == 0 {
            let bytes = dice.bytes(range.len());
            disk.write_blocks(block, &bytes).unwrap();
            model[range].copy_from_slice(&bytes);
        } else {
            let mut bytes = vec![0xee; range.len()];
            disk.read_blocks(block, &mut bytes).unwrap();
            assert!(bytes == model[range]);
        }
    }
    disk.flush().unwrap();
    let mut stored = vec![0; DISK_BYTES as usize];
    file.read_exact_at(&mut stored, 0).unwrap();
    assert!(stored == model);
}

#[test]
fn what_is_beyond_the_end_is_an_error() {
    let slot = Slot::new(disk().0);
    let mut disk = Disk::new(slot.transport()).unwrap();
    let end = (DISK_BYTES / 512) as usize;
    disk.read_blocks(end, &mut [0; 512]).unwrap_err();
    disk.write_blocks(end - 1, &[0; 1024]).unwrap_err();
    disk.read_blocks(end - 1, &mut [0; 512]).unwrap();
}

#[test]
fn several_requests_are_under_way_at_once() {
    use virtio_drivers::device::blk::{BlkReq, BlkResp};
    let (device, file) = disk();
    file.write_all_at(&[5; 512], 512).unwrap();
    let slot = Slot::new(device);
    let mut disk = Disk::new(slot.transport()).unwrap();
    let mut requests: [_; 3] = std::array::from_fn(|_| BlkReq::default());
    let mut answers: [_; 3] = std::array::from_fn(|_| BlkResp::default());
    let mut buffers = [[0; 512]; 3];
    let mut tokens = Vec::new();
    for index in 0..3 {
        let (request, answer) = (&mut requests[index], &mut answers[index]);
        // SAFETY: none of the three is touched before its request is complete.
        let token = unsafe { disk.read_blocks_nb(index, request, &mut buffers[index], answer) };
        tokens.push(token.unwrap());
    }
    for (index, token) in tokens.into_iter().enumerate() {
        while disk.peek_used() != Some(token) {
            std::thread::yield_now();
        }
        // SAFETY: the same ones as when it was begun.
        let done = unsafe {
            disk.complete_read_blocks(
                token,
                &requests[index],
                &mut buffers[index],
                &mut answers[index],
            )
        };
        done.unwrap();
    }
    assert_eq!(buffers.map(|it| it[0]), [0, 5, 0]);
}

#[test]
fn a_device_serves_one_driver_after_the_other() {
    let slot = Slot::new(disk().0);
    for round in 0..10 {
        let mut disk = Disk::new(slot.transport()).unwrap();
        disk.write_blocks(round, &[round as u8; 512]).unwrap();
        let mut bytes = [0; 512];
        disk.read_blocks(round, &mut bytes).unwrap();
        assert_eq!(bytes, [round as u8; 512]);
    }
}

#[test]
fn a_card_carries_frames_both_ways() {
    let (device, peer) = card();
    let slot = Slot::new(device);
    let mut card = VirtIONetRaw::<Board, _, 16>::new(slot.transport()).unwrap();
    assert_eq!(card.mac_address(), MAC);
    let header = [0; 12];
    for size in [60, 1514, 100, 61] {
        let frame = Dice::new(size).bytes(size as usize);
        card.send(&frame).unwrap();
        let mut sent = [0; 2048];
        let length = rustix::io::read(&peer, &mut sent).unwrap();
        assert_eq!(sent[..length], [&header[..], &frame].concat());
        rustix::io::write(&peer, &sent[..length]).unwrap();
        let mut came = [0; 2048];
        let (start, length) = card.receive_wait(&mut came).unwrap();
        assert_eq!(came[start..start + length], frame);
    }
}
