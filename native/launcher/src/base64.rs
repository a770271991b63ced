//! Base64 of a plan's inline files (RFC 4648 §4).
#![deny(clippy::arithmetic_side_effects)]

/// Decodes; line breaks and blanks are skipped, padding may be missing, anything else makes it `None`.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .trim_end_matches(|sign: char| sign == '=' || sign.is_ascii_whitespace())
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(digit)
        .collect::<Option<_>>()?;
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        // A single digit holds less than a byte.
        let useful = group.len().checked_sub(1).filter(|count| *count > 0)?;
        let mut word = [0; 4];
        for (slot, digit) in word.iter_mut().zip(group) {
            *slot = *digit;
        }
        let [a, b, c, d] = word;
        let whole = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        bytes.extend(whole.into_iter().take(useful));
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let at = ALPHABET.iter().position(|letter| *letter == byte)?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_rfc_decode() {
        let vectors = [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ];
        for (text, plain) in vectors {
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()), "{text}");
        }
    }

    #[test]
    fn every_byte_value_survives() {
        assert_eq!(decode("AP9/gA==").unwrap(), [0x00, 0xff, 0x7f, 0x80]);
        assert_eq!(decode("+/+/").unwrap(), [0xfb, 0xff, 0xbf]);
    }

    #[test]
    fn wrapped_and_unpadded_text_is_taken() {
        assert_eq!(decode("Zm9v\nYmFy\n").unwrap(), b"foobar");
        assert_eq!(decode("Zm9vYg").unwrap(), b"foob");
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for text in ["Zm9v!", "Zm=v", "Z", "Zm9vY", "Zm9-"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
