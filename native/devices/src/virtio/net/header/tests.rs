use super::*;

const ALL: u64 = u64::MAX;

fn header(flags: u8, gso: u8, length: u16, size: u16, sum: (u16, u16)) -> [u8; HEADER] {
    let mut header = [0xff; HEADER];
    header[0] = flags;
    header[1] = gso;
    for (at, value) in [(2, length), (4, size), (6, sum.0), (8, sum.1)] {
        header[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    header
}

#[test]
fn a_plain_frame_needs_nothing() {
    let plain = header(0, 0, 0, 0, (0, 0));
    let sent = to_host(plain, 60, 0).unwrap();
    assert_eq!(sent, [0; HEADER]);
    let received = to_guest(plain, 3, 0).unwrap();
    assert_eq!(received[..10], [0; 10]);
    assert_eq!(received[10..], [3, 0]);
}

#[test]
fn a_checksum_that_is_left_to_the_host_lies_in_the_frame() {
    let sum = |start, offset| header(NEEDS_CSUM, 0, 0, 0, (start, offset));
    assert!(to_host(sum(34, 16), 52, ALL).is_some());
    assert_eq!(to_host(sum(34, 16), 51, ALL), None);
    assert_eq!(to_host(sum(u16::MAX, u16::MAX), 65_535, ALL), None);
    assert_eq!(to_host(sum(34, 16), 52, ALL & !feature::CSUM), None);
}

#[test]
fn what_the_guest_says_of_valid_checksums_is_not_believed() {
    let sent = to_host(header(DATA_VALID | 0xf0, 0, 0, 0, (0, 0)), 60, ALL).unwrap();
    assert_eq!(sent[0], 0);
}

#[test]
fn headers_are_no_longer_than_the_frame() {
    let long = |length| header(0, 0, length, 0, (0, 0));
    assert!(to_host(long(60), 60, ALL).is_some());
    assert_eq!(to_host(long(61), 60, ALL), None);
}

#[test]
fn segments_need_their_feature_a_size_and_a_checksum() {
    let kinds = [
        (GSO_TCPV4, feature::HOST_TSO4, feature::GUEST_TSO4),
        (GSO_TCPV6, feature::HOST_TSO6, feature::GUEST_TSO6),
        (GSO_UDP_L4, feature::HOST_USO, feature::GUEST_USO4),
    ];
    for (gso, host, guest) in kinds {
        let frame = header(NEEDS_CSUM, gso, 54, 1448, (34, 16));
        let (csum, guest_csum) = (feature::CSUM, feature::GUEST_CSUM);
        assert!(to_host(frame, 5000, csum | host).is_some(), "{gso}");
        assert_eq!(to_host(frame, 5000, ALL & !host), None, "{gso}");
        assert!(to_guest(frame, 1, guest_csum | guest).is_some(), "{gso}");
        let others = ALL & !(guest | feature::GUEST_USO4 | feature::GUEST_USO6);
        assert_eq!(to_guest(frame, 1, others), None, "{gso}");
        let no_size = header(NEEDS_CSUM, gso, 54, 0, (34, 16));
        assert_eq!(to_host(no_size, 5000, ALL), None, "{gso}");
        let no_sum = header(0, gso, 54, 1448, (34, 16));
        assert_eq!(to_host(no_sum, 5000, ALL), None, "{gso}");
    }
    for unknown in [2, 3, 6, 0x7f] {
        let frame = header(NEEDS_CSUM, unknown, 54, 1448, (34, 16));
        assert_eq!(to_host(frame, 5000, ALL), None, "{unknown}");
        assert_eq!(to_guest(frame, 1, ALL), None, "{unknown}");
    }
}

#[test]
fn congestion_marks_are_of_segments_and_have_a_feature() {
    let marked = header(NEEDS_CSUM, GSO_TCPV4 | GSO_ECN, 54, 1448, (34, 16));
    assert!(to_host(marked, 5000, ALL).is_some());
    assert_eq!(to_host(marked, 5000, ALL & !feature::HOST_ECN), None);
    assert_eq!(to_guest(marked, 1, ALL & !feature::GUEST_ECN), None);
    let alone = header(NEEDS_CSUM, GSO_ECN, 54, 1448, (34, 16));
    assert_eq!(to_host(alone, 5000, ALL), None);
}

#[test]
fn a_guest_that_knows_no_checksums_is_told_of_none() {
    let valid = header(DATA_VALID, 0, 0, 0, (0, 0));
    assert_eq!(to_guest(valid, 1, 0).unwrap()[0], 0);
    assert_eq!(to_guest(valid, 1, ALL).unwrap()[0], DATA_VALID);
    let partial = header(NEEDS_CSUM, 0, 0, 0, (34, 16));
    assert_eq!(to_guest(partial, 1, 0), None);
}

/// Whatever the guest writes, what comes out asks the host only for what fits into the frame.
#[test]
fn nothing_that_passes_points_out_of_its_frame() {
    let mut passed = 0;
    for flags in [0, 1, 2, 3] {
        for gso in 0..=u8::MAX {
            for value in [0u16, 1, 13, 14, 53, 54, 58, 60, 61, 1448, 0x7fff, u16::MAX] {
                for length in [0, 1, 14, 60, 65_535] {
                    let frame = header(flags, gso, value, value, (value, value));
                    let Some(sent) = to_host(frame, length, ALL) else {
                        continue;
                    };
                    passed += 1;
                    let word = |at| usize::from(u16::from_le_bytes([sent[at], sent[at + 1]]));
                    assert!(word(2) <= length);
                    assert!(sent[0] <= NEEDS_CSUM);
                    assert!(sent[0] == 0 || word(6) + word(8) + 2 <= length);
                    assert!(sent[1] == 0 || sent[0] == NEEDS_CSUM && word(4) > 0);
                }
            }
        }
    }
    assert!(passed > 100, "{passed}");
}
