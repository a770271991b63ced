//! Bytes as a source of choices, for targets whose input is more than a text: the same bytes always choose the same.

pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte; 0 where all is used up.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// So many bytes, or what is left.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Up to 255 bytes, whose length is the next byte.
    pub fn short(&mut self) -> &'a [u8] {
        let count = self.byte();
        self.take(count.into())
    }

    /// As `short`, as text.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.short()).into_owned()
    }

    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }
}

/// Cuts these bytes into pieces of 1 to 64 bytes, as the choices say; the last piece is what is left.
pub fn pieces<'a>(choices: &mut Bytes<'_>, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !choices.is_empty() && !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(bytes.len().min(usize::from(choices.byte() % 64) + 1));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_used_up_choose_nothing() {
        let mut bytes = Bytes::new(&[2, b'a', b'b', 9, b'c']);
        assert_eq!((bytes.text().as_str(), bytes.short()), ("ab", &b"c"[..]));
        assert_eq!(
            (bytes.byte(), bytes.rest(), bytes.is_empty()),
            (0, &[][..], true)
        );
    }

    #[test]
    fn pieces_are_the_whole() {
        let all: Vec<u8> = (0..100).collect();
        for choices in [&[][..], &[0, 1, 2], &[255; 200]] {
            assert_eq!(pieces(&mut Bytes::new(choices), &all).concat(), all);
        }
    }
}
