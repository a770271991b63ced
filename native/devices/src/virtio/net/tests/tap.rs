//! On a tap of a namespace of its own.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::mpsc::channel;

use super::*;

/// Runs on a thread in a network namespace of its own, or says why it cannot.
fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let (done, result) = channel();
    let body = move || {
        // SAFETY: only of this thread, which ends here.
        let apart = unsafe { libc::unshare(libc::CLONE_NEWNET) } == 0;
        if !apart || !std::path::Path::new("/dev/net/tun").exists() {
            eprintln!("skipped (needs CAP_SYS_ADMIN and /dev/net/tun)");
        } else {
            test();
        }
        let _ = done.send(());
    };
    let thread = std::thread::spawn(body);
    thread.join().unwrap();
    result.recv().unwrap();
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status();
    assert!(status.unwrap().success(), "ip {arguments}");
}

fn tun(flags: i32) -> OwnedFd {
    let file = File::options()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .unwrap();
    #[repr(C)]
    struct Request {
        name: [u8; 16],
        flags: i16,
        unused: [u8; 22],
    }
    let mut request = Request {
        name: *b"tap0\0\0\0\0\0\0\0\0\0\0\0\0",
        flags: flags as i16,
        unused: [0; 22],
    };
    // SAFETY: TUNSETIFF with a structure of the kernel's layout.
    let made = unsafe { libc::ioctl(file.as_raw_fd(), 0x4004_54ca, &raw mut request) };
    assert_eq!(made, 0, "{}", io::Error::last_os_error());
    file.into()
}

const TAP: i32 = libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR;

#[test]
fn only_a_tap_with_headers_is_taken() {
    in_namespace(|| {
        assert!(Tap::new(tun(TAP)).is_ok());
        for flags in [
            libc::IFF_TAP | libc::IFF_NO_PI,
            libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR,
        ] {
            let taken = Tap::new(tun(flags)).map(drop);
            assert!(taken.is_err(), "{flags:#x}");
        }
    });
    assert!(Tap::new(File::open("/dev/null").unwrap().into()).is_err());
}

#[test]
fn a_tap_knows_every_set_of_features() {
    in_namespace(|| {
        let tap = Tap::new(tun(TAP)).unwrap();
        let uso = if tap.segments_udp() { USO } else { 0 };
        let bits = [0, 1, 7, 8, 9, 54, 55, 56].map(|bit| 1u64 << bit);
        for set in 0..1u32 << bits.len() {
            let chosen = bits.iter().enumerate().filter(|it| set >> it.0 & 1 != 0);
            let features: u64 = chosen.map(|it| it.1).sum();
            let features = features & (ALWAYS | uso);
            let done = tap.set_features(features);
            assert!(done.is_ok(), "{features:#x}: {done:?}");
        }
    });
}

/// An ARP request for the host's address, and its answer.
pub fn asks_who_has(driver: &mut Driver, sender: u8) {
    let mut request = vec![0xff; 6];
    request.extend(MAC);
    request.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    request.extend(MAC);
    request.extend([10, 0, 2, sender]);
    request.extend([0; 6]);
    request.extend([10, 0, 2, 1]);
    let bytes = [&[0; HEADER][..], &request].concat();
    driver.fill(OUT, &bytes);
    driver.request(TRANSMIT, &[out(OUT, bytes.len())]);
    // The kernel says other things too.
    loop {
        driver.offer(RECEIVE, &[room(0, 2000)]);
        driver.notify(RECEIVE);
        let (_, written) = driver.used(RECEIVE);
        let got = driver.bytes(room(0, 0).address, written as usize);
        if got[HEADER..HEADER + 6] == MAC && got[HEADER + 12..HEADER + 14] == [8, 6] {
            // A reply, by the address that was asked for, to the one that asked.
            assert_eq!(got[HEADER + 20..HEADER + 22], [0, 2]);
            assert_eq!(got[HEADER + 28..HEADER + 32], [10, 0, 2, 1]);
            assert_eq!(got[HEADER + 38..HEADER + 42], [10, 0, 2, sender]);
            return;
        }
    }
}

/// A card on a tap whose host has an address, with vhost-net if that is given.
pub fn card_on_tap(vhost: Option<Vhost>) -> (Driver, Link) {
    let tap = Tap::new(tun(TAP)).unwrap();
    ip("addr add 10.0.2.1/24 dev tap0");
    ip("link set tap0 up");
    let link = Link::new(true).unwrap();
    let settings = Settings {
        mac: MAC,
        mtu: None,
    };
    let net = Net::new(settings, Arc::new(tap), vhost, link.clone());
    let mut driver = Driver::new(Box::new(net));
    driver.start(USUAL);
    (driver, link)
}

#[test]
fn the_kernel_behind_the_tap_answers() {
    in_namespace(|| {
        let (mut driver, _) = card_on_tap(None);
        asks_who_has(&mut driver, 2);
        driver.function.pause();
        driver.function.resume();
        asks_who_has(&mut driver, 3);
        driver.start(USUAL);
        asks_who_has(&mut driver, 4);
    });
}

#[test]
fn the_kernel_carries_frames_by_itself() {
    in_namespace(|| {
        let Ok(device) = File::options()
            .read(true)
            .write(true)
            .open("/dev/vhost-net")
        else {
            eprintln!("skipped (needs /dev/vhost-net)");
            return;
        };
        let (mut driver, link) = card_on_tap(Some(Vhost::new(device.into()).unwrap()));
        asks_who_has(&mut driver, 2);
        driver.function.pause();
        driver.function.resume();
        asks_who_has(&mut driver, 3);
        link.set(false);
        link.set(true);
        asks_who_has(&mut driver, 4);
        driver.start(USUAL);
        asks_who_has(&mut driver, 5);
    });
}
