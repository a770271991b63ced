//! The header before each frame, in queues and on the tap (virtio 1.2, 5.1.6): what is left to do of checksum and segmentation.
//! The guest writes it on one way and reads it on the other, and each side gets only what it can have asked for.

use super::feature;

/// Its length, with the count of buffers.
pub const HEADER: usize = 12;

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;

const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
const GSO_UDP_L4: u8 = 5;
const GSO_ECN: u8 = 0x80;

/// Features of one direction.
struct Rights {
    csum: u64,
    tso4: u64,
    tso6: u64,
    ecn: u64,
    uso: u64,
}

const TRANSMIT: Rights = Rights {
    csum: feature::CSUM,
    tso4: feature::HOST_TSO4,
    tso6: feature::HOST_TSO6,
    ecn: feature::HOST_ECN,
    uso: feature::HOST_USO,
};

const RECEIVE: Rights = Rights {
    csum: feature::GUEST_CSUM,
    tso4: feature::GUEST_TSO4,
    tso6: feature::GUEST_TSO6,
    ecn: feature::GUEST_ECN,
    uso: feature::GUEST_USO4 | feature::GUEST_USO6,
};

/// What the host's kernel is given with a frame of `length` bytes; `None` for a header that the guest may not send.
pub fn to_host(header: [u8; HEADER], length: usize, features: u64) -> Option<[u8; HEADER]> {
    let [flags, gso, h0, h1, s0, s1, c0, c1, o0, o1, _, _] = header;
    let header_length = usize::from(u16::from_le_bytes([h0, h1]));
    let sum_at = usize::from(u16::from_le_bytes([c0, c1]));
    let sum_end = sum_at.checked_add(usize::from(u16::from_le_bytes([o0, o1])))?;
    // What else there is among the flags is the host's to say.
    let flags = flags & NEEDS_CSUM;
    let partial = flags != 0;
    let sum_fits = sum_end.checked_add(2)? <= length;
    let good = allowed(flags, gso, features, &TRANSMIT)
        && header_length <= length
        && (!partial || sum_fits)
        && (gso == GSO_NONE || partial && u16::from_le_bytes([s0, s1]) > 0);
    good.then_some([flags, gso, h0, h1, s0, s1, c0, c1, o0, o1, 0, 0])
}

/// What the guest is given with a frame that lies in `buffers` of its buffers; `None` for one that it cannot take, such as one
/// that has waited in the tap since a driver with other features.
pub fn to_guest(header: [u8; HEADER], buffers: u16, features: u64) -> Option<[u8; HEADER]> {
    let [flags, gso, h0, h1, s0, s1, c0, c1, o0, o1, _, _] = header;
    let known = if features & feature::GUEST_CSUM != 0 {
        NEEDS_CSUM | DATA_VALID
    } else {
        NEEDS_CSUM
    };
    let flags = flags & known;
    let [n0, n1] = buffers.to_le_bytes();
    allowed(flags, gso, features, &RECEIVE)
        .then_some([flags, gso, h0, h1, s0, s1, c0, c1, o0, o1, n0, n1])
}

fn allowed(flags: u8, gso: u8, features: u64, rights: &Rights) -> bool {
    let has = |right: u64| features & right != 0;
    let sum = flags & NEEDS_CSUM == 0 || has(rights.csum);
    let ecn = gso & GSO_ECN == 0 || has(rights.ecn);
    let segments = match gso & !GSO_ECN {
        GSO_NONE => gso == GSO_NONE,
        GSO_TCPV4 => has(rights.tso4),
        GSO_TCPV6 => has(rights.tso6),
        GSO_UDP_L4 => has(rights.uso),
        _ => false,
    };
    sum && ecn && segments
}

#[cfg(test)]
mod tests;
