//! A network card as the launcher describes it.

use std::os::fd::RawFd;

use serde::Deserialize;

use crate::error::{Fault, Result};

/// Of IPv4 (RFC 791); virtio knows no smaller one either.
const MIN_MTU: u16 = 68;

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Card {
    /// By which commands know it.
    pub name: String,
    /// A tap with IFF_VNET_HDR, open.
    pub tap: RawFd,
    /// `/dev/vhost-net`, open; without it this process carries the frames.
    #[serde(default)]
    pub vhost: Option<RawFd>,
    /// Six bytes with colons between them.
    pub mac: Mac,
    #[serde(default)]
    pub mtu: Option<u16>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Mac(pub [u8; 6]);

impl TryFrom<String> for Mac {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Mac, String> {
        let byte = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|it| it.is_ascii_hexdigit());
            u8::from_str_radix(part, 16).ok().filter(|_| digits)
        };
        let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
        let mac = bytes.and_then(|it| <[u8; 6]>::try_from(it).ok());
        // The lowest bit of the first byte is that of groups.
        mac.filter(|it| it[0] & 1 == 0)
            .map(Mac)
            .ok_or_else(|| format!("{text:?} is no address of one card"))
    }
}

impl Card {
    pub(super) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        [self.tap].into_iter().chain(self.vhost)
    }

    pub(super) fn check(&self) -> Result<()> {
        match self.mtu {
            Some(mtu) if mtu < MIN_MTU => {
                let text = format!("the MTU of {} is less than {MIN_MTU}", self.name);
                Err(Fault::new(text))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::{good, refusal};
    use super::super::{Config, Device};
    use super::*;

    fn card() -> Value {
        json!({"kind": "net", "name": "net-default", "tap": 8, "vhost": 9, "mac": "02:00:00:aa:bb:cc", "mtu": 1450})
    }

    #[test]
    fn a_card_is_taken_with_its_address() {
        let mut value = good();
        value["devices"] = json!([{"kind": "rng"}, card()]);
        let config = Config::parse(&value.to_string()).unwrap();
        let Device::Net(card) = &config.devices[1] else {
            panic!("{:?}", config.devices);
        };
        assert_eq!(card.mac, Mac([2, 0, 0, 0xaa, 0xbb, 0xcc]));
        assert_eq!((card.tap, card.vhost, card.mtu), (8, Some(9), Some(1450)));
    }

    #[test]
    fn a_card_that_makes_no_sense_is_refused() {
        let with = |key: &str, bad: Value| {
            let mut card = card();
            card[key] = bad;
            refusal(|it| it["devices"] = json!([card]))
        };
        for mac in [
            "",
            "02:00:00:aa:bb",
            "02:00:00:aa:bb:cc:dd",
            "02:00:00:aa:bb:+1",
            "01:00:00:aa:bb:cc",
            "020000aabbcc",
        ] {
            assert!(with("mac", json!(mac)).contains("no address"), "{mac}");
        }
        assert!(with("mtu", json!(67)).contains("MTU of net-default"));
        assert!(with("tap", json!(3)).contains("descriptor 3"));
        assert!(with("vhost", json!(8)).contains("descriptor 8"));
        assert!(with("path", json!("/dev/net/tun")).contains("path"));
        let twice = json!([card(), {"kind": "net", "name": "net-default", "tap": 10, "mac": "02:00:00:00:00:01"}]);
        assert!(refusal(|it| it["devices"] = twice).contains("empty or another"));
    }
}
