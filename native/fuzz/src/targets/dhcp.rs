//! What a guest sends to the DHCP port, and what it is answered.

use std::net::Ipv4Addr;

use wherry_launcher::fuzzing::{
    DhcpAnswer, LeaseOptions, Offer, PrivateOption, Question, ResolvConf,
};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 1);
/// BOOTP's least, which some clients need.
const LEAST: usize = 300;
const FIXED: usize = 240;

pub fn run(datagram: &[u8]) {
    let Some(question) = Question::parse(datagram) else {
        return;
    };
    assert!(question.max_size <= 1500 - 28);
    if let Some(name) = &question.hostname {
        assert!(
            name.len() <= 253
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        );
    }
    for options in [LeaseOptions::default(), asked_for()] {
        assert!(
            offer([0xfe; 6], options.clone()).reply(&question).is_none()
                || question.mac == [0xfe; 6]
        );
        if let Some(reply) = offer(question.mac, options).reply(&question) {
            check(&question, &reply.bytes);
            assert!(reply.to == ADDRESS || reply.to == Ipv4Addr::BROADCAST);
        }
    }
}

fn offer(mac: [u8; 6], options: LeaseOptions) -> Offer {
    let plan = DhcpAnswer {
        interface: "default".into(),
        socket: "dhcp".into(),
        mac: mac.map(|byte| format!("{byte:02x}")).join(":"),
        address: ADDRESS,
        prefix_length: 24,
        router: ROUTER,
        mtu: 1480,
        hostname: "vm".into(),
        resolv_conf: String::new(),
        subdomain: None,
        options,
    };
    let resolv_conf = ResolvConf::parse(
        "nameserver 10.96.0.10\nsearch team.svc.cluster.local svc.cluster.local cluster.local\n",
    );
    Offer::new(&plan, resolv_conf).expect("the address of the card is one")
}

fn asked_for() -> LeaseOptions {
    LeaseOptions {
        boot_file_name: "x".repeat(127),
        tftp_server_name: "192.0.2.1".into(),
        ntp_servers: vec![ROUTER; 4],
        private_options: vec![PrivateOption {
            option: 224,
            value: "y".repeat(255),
        }],
    }
}

/// An answer is whole, is the asker's own, and is not longer than the asker takes.
fn check(question: &Question, answer: &[u8]) {
    assert!(
        answer.len() >= LEAST && answer.len() <= question.max_size.max(LEAST),
        "{}",
        answer.len()
    );
    assert!(
        answer.starts_with(&[2, 1, 6, 0])
            && answer[4..8] == question.transaction
            && answer[28..34] == question.mac
    );
    let mut rest = &answer[FIXED..];
    while let [code, more @ ..] = rest {
        match *code {
            255 => return assert!(more.iter().all(|byte| *byte == 0)),
            0 => rest = more,
            _ => {
                let length = usize::from(more[0]);
                rest = &more[1 + length..];
            }
        }
    }
    panic!("an answer without its end");
}
