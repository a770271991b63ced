//! Frames: four bytes of big-endian length, then that many bytes of JSON.
#![deny(clippy::arithmetic_side_effects)]

/// Largest body in bytes that either side accepts.
pub const MAX_FRAME: usize = 1024 * 1024;
const PREFIX: usize = 4;

/// The peer announced a body above the limit: nothing behind it can be found again.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

/// Cuts a stream of bytes into bodies. Holds only what was received: a length alone reserves nothing.
#[derive(Default)]
pub struct Decoder {
    held: Vec<u8>,
}

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next whole body, if it has arrived.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let Some((prefix, rest)) = self.held.split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > MAX_FRAME {
            return Err(TooLong);
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let body = body.to_vec();
        self.held.drain(..PREFIX.saturating_add(length));
        if self.held.is_empty() {
            // A plan or a large command should not be paid for until the connection ends.
            self.held = Vec::new();
        }
        Ok(Some(body))
    }

    /// Whether the stream stands between two frames.
    pub fn is_between(&self) -> bool {
        self.held.is_empty()
    }
}

/// The frame around this body; `None` above the limit.
pub fn frame(body: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(body.len())
        .ok()
        .filter(|_| body.len() <= MAX_FRAME)?;
    let mut framed = Vec::with_capacity(PREFIX.saturating_add(body.len()));
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(body);
    Some(framed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut decoder = Decoder::default();
        let mut bodies = Vec::new();
        for chunk in chunks {
            decoder.push(chunk);
            while let Some(body) = decoder.take().unwrap() {
                bodies.push(body);
            }
        }
        assert!(decoder.is_between());
        bodies
    }

    #[test]
    fn a_frame_is_its_length_and_its_body() {
        assert_eq!(frame(b"{}").unwrap(), b"\0\0\0\x02{}");
    }

    #[test]
    fn frames_survive_any_cut_of_the_stream() {
        let stream = [frame(b"{\"id\":1}").unwrap(), frame(b"{}").unwrap()].concat();
        for at in 0..=stream.len() {
            let (left, right) = stream.split_at(at);
            assert_eq!(
                decoded(&[left, right]),
                [&b"{\"id\":1}"[..], b"{}"],
                "cut at {at}"
            );
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(decoded(&single).len(), 2);
    }

    #[test]
    fn a_partial_frame_is_kept_and_known_as_such() {
        let mut decoder = Decoder::default();
        decoder.push(b"\0\0");
        assert_eq!(decoder.take(), Ok(None));
        assert!(!decoder.is_between());
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_its_body_comes() {
        let mut decoder = Decoder::default();
        decoder.push(&(MAX_FRAME as u32 + 1).to_be_bytes());
        assert_eq!(decoder.take(), Err(TooLong));
    }

    #[test]
    fn a_length_alone_reserves_nothing() {
        let mut decoder = Decoder::default();
        decoder.push(&(MAX_FRAME as u32).to_be_bytes());
        assert_eq!(decoder.take(), Ok(None));
        assert!(decoder.held.capacity() < 64);
    }

    #[test]
    fn the_largest_body_goes_both_ways_and_one_byte_more_does_not() {
        let body = vec![b' '; MAX_FRAME];
        assert_eq!(decoded(&[&frame(&body).unwrap()]), [body]);
        assert_eq!(frame(&vec![b' '; MAX_FRAME + 1]), None);
    }
}
