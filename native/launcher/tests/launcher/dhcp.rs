//! DHCP over a real tap in a network namespace of its own: frames in, frames out, as the engine would.

use std::fs::File;
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::Command;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketType, socket, sockopt};
use serde_json::json;

use crate::harness::{Launcher, Peer, skipped};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// A tap with the gateway's address and the server's socket on it, in a namespace that this thread enters for good.
fn room() -> (File, OwnedFd) {
    // SAFETY: this thread of a test shares nothing that depends on the network namespace.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNET) }.unwrap();
    let tap = File::options()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .unwrap();
    let mut request = [0u8; 40];
    request[..4].copy_from_slice(b"tap0");
    request[16..18].copy_from_slice(&((libc::IFF_TAP | libc::IFF_NO_PI) as u16).to_ne_bytes());
    // SAFETY: the request is an ifreq of the kernel's size, which outlives the call.
    let made = unsafe { libc::ioctl(tap.as_raw_fd(), libc::TUNSETIFF as _, request.as_mut_ptr()) };
    assert_eq!(made, 0);
    for arguments in ["addr add 10.0.2.1/24 dev tap0", "link set tap0 up"] {
        assert!(
            Command::new("ip")
                .args(arguments.split(' '))
                .status()
                .unwrap()
                .success()
        );
    }
    let server = socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap();
    sockopt::set_socket_reuseaddr(&server, true).unwrap();
    sockopt::set_socket_broadcast(&server, true).unwrap();
    let name = b"tap0\0";
    // SAFETY: the name outlives the call and its length is given.
    let bound = unsafe {
        libc::setsockopt(
            server.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTODEVICE,
            name.as_ptr().cast(),
            5,
        )
    };
    assert_eq!(bound, 0);
    rustix::net::bind(
        &server,
        &"0.0.0.0:67".parse::<std::net::SocketAddrV4>().unwrap(),
    )
    .unwrap();
    (tap, server)
}

/// An Ethernet frame with a DHCP message of this kind: RFC 791 and RFC 768 by hand.
fn frame(kind: u8, options: &[u8]) -> Vec<u8> {
    let mut message = vec![1, 1, 6, 0, 1, 2, 3, 4];
    message.resize(28, 0);
    message.extend(MAC);
    message.resize(236, 0);
    message.extend([99, 130, 83, 99, 53, 1, kind]);
    message.extend(options);
    message.push(255);
    let udp = [68u16, 67, message.len() as u16 + 8, 0]
        .map(u16::to_be_bytes)
        .concat();
    let mut ip = vec![0x45, 0];
    ip.extend((message.len() as u16 + 28).to_be_bytes());
    ip.extend([0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
    let sum: u32 = ip
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    ip[10..12].copy_from_slice(&checksum.to_be_bytes());
    [&[0xff; 6][..], &MAC, &[8, 0], &ip, &udp, &message].concat()
}

/// The next DHCP message that the guest would see.
fn answer(tap: &mut File) -> Vec<u8> {
    let wait = Timespec {
        tv_sec: 10,
        tv_nsec: 0,
    };
    loop {
        let ready = poll(&mut [PollFd::new(tap, PollFlags::IN)], Some(&wait)).unwrap();
        assert_eq!(ready, 1, "no answer");
        let mut bytes = vec![0; 2000];
        let length = tap.read(&mut bytes).unwrap();
        bytes.truncate(length);
        // IPv4, UDP, from the server's port to the client's.
        if bytes.len() > 42
            && bytes[12..14] == [8, 0]
            && bytes[23] == 17
            && bytes[34..38] == [0, 67, 0, 68]
        {
            return bytes[42..].to_vec();
        }
    }
}

fn kind_of(message: &[u8]) -> u8 {
    assert_eq!(message[240..242], [53, 1]);
    message[242]
}

/// A guest that runs, with its tap; `None` where this user cannot have one.
fn guest() -> Option<(File, Launcher, Peer)> {
    if !rustix::process::geteuid().is_root()
        || UdpSocket::bind("127.0.0.1:0").is_err()
        || !std::path::Path::new("/dev/net/tun").exists()
    {
        skipped("only root with /dev/net/tun makes network namespaces here");
        return None;
    }
    let (tap, server) = room();
    let mut launcher = Launcher::idle();
    let resolv_conf = launcher.path("resolv.conf");
    std::fs::write(
        &resolv_conf,
        "nameserver 10.96.0.10\nsearch default.svc.cluster.local\n",
    )
    .unwrap();
    let mut plan = launcher.plan(&[""]);
    plan["descriptors"] = json!(["dhcp"]);
    plan["dhcp"] = json!([{"interface": "default", "socket": "dhcp", "mac": "02:00:00:00:00:01", "address": "10.0.2.2", "prefixLength": 24,
        "router": "10.0.2.1", "mtu": 1480, "hostname": "vm-1", "resolvConf": resolv_conf}]);
    let mut peer = launcher.subscribe(1);
    launcher.start(&plan, &[server.as_fd()]);
    peer.until_state("Running");
    Some((tap, launcher, peer))
}

#[test]
fn a_guest_gets_its_address_and_everybody_hears_of_it() {
    let Some((mut tap, _launcher, mut peer)) = guest() else {
        return;
    };
    tap.write_all(&frame(1, &[])).unwrap();
    let offer = answer(&mut tap);
    assert_eq!((kind_of(&offer), &offer[16..20]), (2, &[10, 0, 2, 2][..]));
    tap.write_all(&frame(
        3,
        &[50, 4, 10, 0, 2, 2, 54, 4, 10, 0, 2, 1, 12, 2, b'm', b'e'],
    ))
    .unwrap();
    let ack = answer(&mut tap);
    assert_eq!((kind_of(&ack), &ack[16..20]), (5, &[10, 0, 2, 2][..]));
    assert!(
        ack.windows(6).any(|part| part == [6, 4, 10, 96, 0, 10]),
        "the name server"
    );

    let lease = json!({"interface": "default", "mac": "02:00:00:00:00:01", "address": "10.0.2.2", "hostname": "me"});
    let event = peer.until(|event| event["type"] == "lease");
    assert_eq!(event["address"], "10.0.2.2");
    assert_eq!(peer.ask(json!({"op": "status"}))["leases"], json!([lease]));

    tap.write_all(&frame(3, &[50, 4, 192, 168, 0, 9])).unwrap();
    assert_eq!(kind_of(&answer(&mut tap)), 6);
}

#[test]
fn a_flood_of_questions_gets_few_answers_and_keeps_nobody_from_being_served() {
    let Some((mut tap, _launcher, mut peer)) = guest() else {
        return;
    };
    let broken: Vec<u8> = [&frame(1, &[12, 200]), &[0xff; 400][..]].concat();
    let long = frame(1, &[57, 2, 0, 0].repeat(100));
    for round in 0..2000 {
        for datagram in [&frame(1, &[]), &broken, &long] {
            // What the tap does not take is lost, as on any network.
            let _ = tap.write(datagram);
        }
        if round % 100 == 0 {
            assert_eq!(peer.ask(json!({"op": "status"}))["state"], "Running");
        }
    }
    let started = std::time::Instant::now();
    let mut answers = 0;
    while poll(
        &mut [PollFd::new(&tap, PollFlags::IN)],
        Some(&Timespec {
            tv_sec: 0,
            tv_nsec: 300_000_000,
        }),
    )
    .unwrap()
        > 0
    {
        answers += usize::from(tap.read(&mut [0; 2000]).unwrap() > 300);
        assert!(started.elapsed().as_secs() < 20, "it answers for ever");
    }
    assert!(
        (1..1000).contains(&answers),
        "{answers} answers to 6000 questions"
    );
    // An honest question is heard again as soon as the flood is over.
    tap.write_all(&frame(3, &[50, 4, 10, 0, 2, 2])).unwrap();
    assert_eq!(kind_of(&answer(&mut tap)), 5);
}
