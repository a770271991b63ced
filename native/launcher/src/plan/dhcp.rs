//! What the plan says about the DHCP answers of one interface.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use serde::Deserialize;

/// Options that mean what a site wants them to (RFC 3942).
const PRIVATE: RangeInclusive<u8> = 224..=254;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DhcpAnswer {
    pub interface: String,
    pub socket: String,
    pub mac: String,
    pub address: Ipv4Addr,
    pub prefix_length: u8,
    pub router: Ipv4Addr,
    pub mtu: u16,
    pub hostname: String,
    pub resolv_conf: String,
    /// Of the pod; what it makes of the pod's service domain is searched first.
    pub subdomain: Option<String>,
    #[serde(default)]
    pub options: LeaseOptions,
}

/// What a user asks to be said beyond address, names and MTU.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LeaseOptions {
    pub boot_file_name: String,
    pub tftp_server_name: String,
    pub ntp_servers: Vec<Ipv4Addr>,
    pub private_options: Vec<PrivateOption>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct PrivateOption {
    pub option: u8,
    pub value: String,
}

impl DhcpAnswer {
    /// What is wrong with it, given the descriptors that come with its plan.
    pub fn check(&self, descriptors: &[String]) -> Result<(), String> {
        let fault = |what: String| Err(format!("interface {}: {what}", self.interface));
        if !descriptors.contains(&self.socket) {
            return fault(format!("there is no descriptor {}", self.socket));
        }
        if self.prefix_length > 32 {
            return fault("a prefix has at most 32 bits".into());
        }
        let mut private = self.options.private_options.iter();
        if let Some(strange) = private.find(|one| !PRIVATE.contains(&one.option)) {
            return fault(format!("option {} is not private", strange.option));
        }
        if parse_mac(&self.mac).is_none() {
            return fault(format!("{} is no MAC address", self.mac));
        }
        Ok(())
    }
}

/// Six bytes in hexadecimal with colons or dashes between them.
pub fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut mac {
        let part = parts.next().filter(|part| {
            part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit())
        })?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sample() -> Value {
        json!({"interface": "default", "socket": "dhcp0", "mac": "02:00:00:00:00:01", "address": "10.0.2.2",
            "prefixLength": 24, "router": "10.0.2.1", "mtu": 1480, "hostname": "vm", "resolvConf": "/etc/resolv.conf",
            "subdomain": "web", "options": {"bootFileName": "a", "privateOptions": [{"option": 224, "value": "b"}]}})
    }

    fn with(pointer: &str, value: Value) -> Result<DhcpAnswer, serde_json::Error> {
        let mut answer = sample();
        *answer.pointer_mut(pointer).expect(pointer) = value;
        serde_json::from_value(answer)
    }

    #[test]
    fn faults_are_named_with_their_interface() {
        let check = |answer: DhcpAnswer| answer.check(&["dhcp0".into()]);
        assert_eq!(check(with("/mtu", json!(1500)).unwrap()), Ok(()));
        for (pointer, value, text) in [
            ("/socket", json!("dhcp1"), "there is no descriptor dhcp1"),
            ("/prefixLength", json!(33), "at most 32 bits"),
            ("/mac", json!("02:00:00:00:00"), "no MAC address"),
            (
                "/options/privateOptions/0/option",
                json!(223),
                "option 223 is not private",
            ),
            (
                "/options/privateOptions/0/option",
                json!(255),
                "option 255 is not private",
            ),
        ] {
            let fault = check(with(pointer, value).unwrap()).unwrap_err();
            assert!(
                fault.starts_with("interface default: ") && fault.contains(text),
                "{fault}"
            );
        }
    }

    #[test]
    fn fields_that_this_version_does_not_know_are_refused_and_not_ignored() {
        for pointer in ["", "/options", "/options/privateOptions/0"] {
            let mut answer = sample();
            answer.pointer_mut(pointer).unwrap()["new"] = json!(1);
            assert!(
                serde_json::from_value::<DhcpAnswer>(answer).is_err(),
                "{pointer}"
            );
        }
        assert!(with("/address", json!("fd00::1")).is_err());
    }

    #[test]
    fn what_it_need_not_say_is_nothing() {
        let mut answer = sample();
        let fields = answer.as_object_mut().unwrap();
        fields.remove("subdomain");
        fields.remove("options");
        let answer: DhcpAnswer = serde_json::from_value(answer).unwrap();
        assert_eq!(
            (answer.subdomain, answer.options),
            (None, LeaseOptions::default())
        );
    }

    #[test]
    fn addresses_of_cards_are_six_bytes() {
        assert_eq!(
            parse_mac("02:aB:00:00:00:ff"),
            Some([2, 0xab, 0, 0, 0, 0xff])
        );
        for text in [
            "",
            "02",
            "02:00:00:00:00:00:00",
            "2:0:0:0:0:0",
            "02:00:00:00:00:+1",
            "02:00:00:00:00:gg",
        ] {
            assert_eq!(parse_mac(text), None, "{text}");
        }
    }
}
