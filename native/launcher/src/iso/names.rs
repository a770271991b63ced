//! Names of files in an ISO image: as they are for Joliet, and an upper-case approximation for readers without it.

use std::collections::BTreeSet;

use crate::error::{Fault, Result};

/// Longest Joliet name in UTF-16 units.
const MAX_JOLIET: usize = 64;
/// Longest primary name, its dot included and its version not (ISO 9660 level 2).
const MAX_PRIMARY: usize = 30;

/// Refuses names that no reader could show.
pub fn check(names: &[&str]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        let length = name.encode_utf16().count();
        let forbidden = |sign: char| sign.is_control() || "*/:;?\\".contains(sign);
        if length == 0
            || length > MAX_JOLIET
            || name.contains(forbidden)
            || *name == "."
            || *name == ".."
        {
            return Err(Fault::new(format!(
                "{name:?} cannot be the name of a file in an ISO image"
            )));
        }
        if !seen.insert(name) {
            return Err(Fault::new(format!("{name:?} stands twice in an ISO image")));
        }
    }
    Ok(())
}

/// Big-endian UTF-16, as Joliet has it.
pub fn joliet(name: &str) -> Vec<u8> {
    name.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// One primary identifier per name, all different, with version. The dash is kept although ISO 9660 has none, for readers
/// that look for `meta-data`.
pub fn primary(names: &[&str]) -> Vec<String> {
    let identifiers = unlike(names, numbered);
    identifiers.iter().map(|it| format!("{it};1")).collect()
}

/// As `primary`, for folders: they have neither a dot nor a version.
pub fn primary_folders(names: &[&str]) -> Vec<String> {
    unlike(names, |name, attempt| {
        let number = suffix(attempt);
        let room = MAX_PRIMARY - number.len();
        let stem: String = plain(name).chars().take(room).collect();
        format!("{stem}{number}")
    })
}

/// The first attempt at each name that no name before it ended up as.
fn unlike(names: &[&str], attempt_at: impl Fn(&str, u32) -> String) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut all = Vec::new();
    for name in names {
        let identifier = (0..)
            .map(|attempt| attempt_at(name, attempt))
            .find(|candidate| !taken.contains(candidate))
            .unwrap_or_default();
        taken.insert(identifier.clone());
        all.push(identifier);
    }
    all
}

fn suffix(attempt: u32) -> String {
    if attempt == 0 {
        String::new()
    } else {
        format!("_{attempt}")
    }
}

/// At most one dot, in the place of the last one; `attempt` makes it different from others that end up alike.
fn numbered(name: &str, attempt: u32) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let extension: String = plain(extension).chars().take(8).collect();
    let number = suffix(attempt);
    let room = MAX_PRIMARY - 1 - extension.len() - number.len();
    let stem: String = plain(if stem.is_empty() { "_" } else { stem })
        .chars()
        .take(room)
        .collect();
    format!("{stem}{number}.{extension}")
}

fn plain(text: &str) -> String {
    text.chars()
        .map(|sign| sign.to_ascii_uppercase())
        .map(|sign| {
            if sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == '-' {
                sign
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_names_are_readable() {
        let names = [
            "meta-data",
            "user-data",
            "autounattend.xml",
            ".hidden",
            "a.b.c",
            "große",
        ];
        assert_eq!(
            primary(&names),
            [
                "META-DATA.;1",
                "USER-DATA.;1",
                "AUTOUNATTEND.XML;1",
                "_.HIDDEN;1",
                "A_B.C;1",
                "GRO_E.;1"
            ]
        );
    }

    #[test]
    fn names_that_end_up_alike_are_numbered() {
        assert_eq!(
            primary(&["key", "KEY", "Key"]),
            ["KEY.;1", "KEY_1.;1", "KEY_2.;1"]
        );
        let long = ["a".repeat(40), "a".repeat(41)];
        let made = primary(&long.each_ref().map(String::as_str));
        assert_ne!(made[0], made[1]);
        assert!(
            made.iter().all(|name| name.len() <= MAX_PRIMARY + 2),
            "{made:?}"
        );
    }

    #[test]
    fn folders_have_neither_dot_nor_version() {
        assert_eq!(
            primary_folders(&["openstack", "a.b", "A_B"]),
            ["OPENSTACK", "A_B", "A_B_1"]
        );
    }

    #[test]
    fn joliet_names_keep_their_case() {
        assert_eq!(joliet("aÄ"), [0, b'a', 0, 0xc4]);
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        for name in ["", ".", "..", "a/b", "a;1", "a\0", "a\n", &"x".repeat(65)] {
            assert!(check(&[name]).is_err(), "{name:?}");
        }
        assert!(
            check(&["a", "b", "a"])
                .unwrap_err()
                .to_string()
                .contains("twice")
        );
        assert!(check(&["meta-data", &"x".repeat(64), "Ünïcode name"]).is_ok());
    }
}
