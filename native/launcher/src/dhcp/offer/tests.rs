use super::super::packet::testing::{option_of, question};
use super::*;
use crate::plan::PrivateOption;

const ADDRESS: [u8; 4] = [10, 0, 2, 2];
const ROUTER: [u8; 4] = [10, 0, 2, 1];

fn offer() -> Offer {
    let plan = DhcpAnswer {
        interface: "default".into(),
        socket: "dhcp".into(),
        mac: "02:00:00:00:00:01".into(),
        address: ADDRESS.into(),
        prefix_length: 24,
        router: ROUTER.into(),
        mtu: 1480,
        hostname: "my-vm".into(),
        resolv_conf: String::new(),
        subdomain: None,
        options: LeaseOptions::default(),
    };
    Offer::new(
        &plan,
        ResolvConf::parse("nameserver 10.96.0.10\nsearch a.b c\n"),
    )
    .unwrap()
}

fn asked(kind: Kind, options: &[(u8, &[u8])]) -> Question {
    Question::parse(&question(kind, options)).unwrap()
}

fn kind_of(reply: Option<Reply>) -> Option<u8> {
    reply.map(|reply| option_of(&reply.bytes, option::MESSAGE_TYPE).unwrap()[0])
}

fn request(options: &[(u8, &[u8])]) -> Option<u8> {
    kind_of(offer().reply(&asked(Kind::Request, options)))
}

#[test]
fn a_discover_is_offered_everything_a_guest_needs() {
    let reply = offer()
        .reply(&asked(Kind::Discover, &[(option::CLIENT, b"\x01me")]))
        .unwrap();
    let of = |code| option_of(&reply.bytes, code);
    assert_eq!((reply.to, reply.is_lease), (Ipv4Addr::BROADCAST, false));
    assert_eq!(reply.bytes[16..20], ADDRESS);
    let expected: [(u8, &[u8]); 12] = [
        (option::MESSAGE_TYPE, &[Kind::Offer as u8]),
        (option::SERVER, &ROUTER),
        (option::LEASE_SECONDS, &31_536_000u32.to_be_bytes()),
        (option::CLIENT, b"\x01me"),
        (option::SUBNET_MASK, &[255, 255, 255, 0]),
        (option::ROUTER, &ROUTER),
        (option::DNS_SERVERS, &[10, 96, 0, 10]),
        (option::MTU, &[5, 200]),
        (option::HOST_NAME, b"my-vm"),
        (option::BROADCAST, &[10, 0, 2, 255]),
        (option::DOMAIN_NAME, b"a.b"),
        (option::DOMAIN_SEARCH, b"\x01a\x01b\0\x01c\0"),
    ];
    for (code, value) in expected {
        assert_eq!(of(code).as_deref(), Some(value), "option {code}");
    }
}

#[test]
fn the_offered_address_is_confirmed_and_any_other_refused() {
    assert_eq!(
        request(&[
            (option::REQUESTED_ADDRESS, &ADDRESS),
            (option::SERVER, &ROUTER)
        ]),
        Some(Kind::Ack as u8)
    );
    assert_eq!(
        request(&[(option::REQUESTED_ADDRESS, &ADDRESS)]),
        Some(Kind::Ack as u8)
    );
    assert_eq!(
        request(&[(option::REQUESTED_ADDRESS, &[192, 168, 1, 9])]),
        Some(Kind::Nak as u8)
    );
    assert_eq!(request(&[]), None);
}

#[test]
fn a_refusal_gives_no_address_and_is_broadcast() {
    let reply = offer()
        .reply(&asked(
            Kind::Request,
            &[(option::REQUESTED_ADDRESS, &[1, 2, 3, 4])],
        ))
        .unwrap();
    assert_eq!(
        (reply.to, reply.is_lease, &reply.bytes[16..20]),
        (Ipv4Addr::BROADCAST, false, &[0; 4][..])
    );
    assert_eq!(option_of(&reply.bytes, option::LEASE_SECONDS), None);
}

#[test]
fn a_guest_that_renews_is_answered_at_its_address() {
    let renewing = Question {
        current: ADDRESS.into(),
        ..asked(Kind::Request, &[])
    };
    let reply = offer().reply(&renewing).unwrap();
    assert_eq!((reply.to, reply.is_lease), (ADDRESS.into(), true));
    let elsewhere = Question {
        current: [10, 9, 9, 9].into(),
        ..renewing
    };
    assert_eq!(kind_of(offer().reply(&elsewhere)), Some(Kind::Nak as u8));
}

#[test]
fn a_guest_that_asks_for_settings_alone_gets_no_address() {
    let reply = offer().reply(&asked(Kind::Inform, &[])).unwrap();
    assert_eq!((&reply.bytes[16..20], reply.is_lease), (&[0; 4][..], false));
    assert_eq!(option_of(&reply.bytes, option::LEASE_SECONDS), None);
    assert_eq!(option_of(&reply.bytes, option::ROUTER).unwrap(), ROUTER);
}

#[test]
fn others_are_not_answered() {
    let discover = asked(Kind::Discover, &[]);
    let silent = [
        Question {
            mac: [2, 0, 0, 0, 0, 2],
            ..discover.clone()
        },
        Question {
            relay: [10, 0, 0, 1].into(),
            ..discover.clone()
        },
        Question {
            kind: Kind::Offer,
            ..discover
        },
        asked(
            Kind::Request,
            &[
                (option::REQUESTED_ADDRESS, &ADDRESS),
                (option::SERVER, &[10, 0, 2, 9]),
            ],
        ),
    ];
    for question in silent {
        assert_eq!(offer().reply(&question), None, "{question:?}");
    }
}

fn options(boot_file: &str, tftp_server: &str) -> LeaseOptions {
    LeaseOptions {
        boot_file_name: boot_file.into(),
        tftp_server_name: tftp_server.into(),
        ntp_servers: vec![[10, 0, 0, 1].into(), [10, 0, 0, 2].into()],
        private_options: vec![PrivateOption {
            option: 225,
            value: "gr\u{fc}n".into(),
        }],
    }
}

fn offered(options: LeaseOptions) -> Vec<u8> {
    let offer = Offer { options, ..offer() };
    offer
        .reply(&asked(Kind::Discover, &[(option::CLIENT, &[7; 21])]))
        .unwrap()
        .bytes
}

#[test]
fn what_the_user_adds_is_said_in_options_and_in_the_fields_of_bootp() {
    let bytes = offered(options("pxelinux.0", "192.168.1.9"));
    let of = |code| option_of(&bytes, code).unwrap();
    assert_eq!(of(option::BOOT_FILE), b"pxelinux.0");
    assert_eq!(of(option::TFTP_SERVER), b"192.168.1.9");
    assert_eq!(of(option::NTP_SERVERS), [10, 0, 0, 1, 10, 0, 0, 2]);
    assert_eq!(of(225), "gr\u{fc}n".as_bytes());
    assert_eq!(bytes[20..24], [192, 168, 1, 9]);
    assert_eq!(bytes[108..119], *b"pxelinux.0\0");
}

#[test]
fn a_server_by_name_and_a_long_file_are_said_in_options_alone() {
    let file = "f".repeat(128);
    let bytes = offered(options(&file, "boot.example.org"));
    assert_eq!(
        option_of(&bytes, option::BOOT_FILE).unwrap(),
        file.as_bytes()
    );
    assert_eq!(
        option_of(&bytes, option::TFTP_SERVER).unwrap(),
        b"boot.example.org"
    );
    assert_eq!(bytes[20..24], [0; 4]);
    assert_eq!(bytes[108..236], [0; 128]);
}

#[test]
fn as_much_as_admission_takes_reaches_the_smallest_client_with_all_that_it_needs() {
    // 192 bytes: see api/src/v1/dhcp-options.ts.
    let file = "f".repeat(192 - 2 - 16 - 10 - 7);
    let most = Offer {
        hostname: "h".repeat(63),
        resolv_conf: ResolvConf::parse(&"nameserver 10.96.0.10\n".repeat(4)),
        options: options(&file, "192.168.100.99"),
        ..offer()
    };
    let reply = most.reply(&asked(Kind::Discover, &[])).unwrap();
    assert!(reply.bytes.len() <= 548);
    for code in [
        option::LEASE_SECONDS,
        option::SUBNET_MASK,
        option::ROUTER,
        option::DNS_SERVERS,
        option::MTU,
        option::HOST_NAME,
        option::BOOT_FILE,
        option::TFTP_SERVER,
        option::NTP_SERVERS,
        225,
    ] {
        assert!(option_of(&reply.bytes, code).is_some(), "option {code}");
    }
}

#[test]
fn a_small_client_gets_what_matters_most() {
    let long = "search ".to_string() + &"a-rather-long-domain.example.org ".repeat(30);
    let offer = Offer {
        resolv_conf: ResolvConf::parse(&long),
        ..offer()
    };
    let reply = offer.reply(&asked(Kind::Discover, &[])).unwrap();
    assert!(reply.bytes.len() <= 548);
    assert_eq!(option_of(&reply.bytes, option::DOMAIN_SEARCH), None);
    assert_eq!(option_of(&reply.bytes, option::ROUTER).unwrap(), ROUTER);
}

#[test]
fn every_prefix_has_its_mask() {
    for (prefix, mask) in [
        (0, [0; 4]),
        (1, [128, 0, 0, 0]),
        (30, [255, 255, 255, 252]),
        (32, [255; 4]),
    ] {
        let plan = DhcpAnswer {
            prefix_length: prefix,
            ..serde_json::from_str(SAMPLE).unwrap()
        };
        let offer = Offer::new(&plan, ResolvConf::default()).unwrap();
        assert_eq!(offer.mask.octets(), mask);
    }
}

const SAMPLE: &str = r#"{"interface":"a","socket":"b","mac":"02:00:00:00:00:01","address":"10.0.2.2","prefixLength":24,"router":"10.0.2.1","mtu":1500,"hostname":"h","resolvConf":"/r"}"#;
