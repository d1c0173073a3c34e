//! What is seen of bytes while they pass by.

use std::io::{Error, Write};

/// What was seen of bytes while they were read.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// All of them are UTF-8.
    pub is_utf8: bool,
    /// The first of them; with fewer, the rest is zero.
    pub begin: [u8; 4],
}

impl Seen {
    /// Of bytes that are all here.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut begin = [0; 4];
        begin.iter_mut().zip(bytes).for_each(|(seen, byte)| *seen = *byte);
        Self { is_utf8: std::str::from_utf8(bytes).is_ok(), begin }
    }
}

/// Looks at bytes that pass by.
pub(super) struct Sight {
    begin: Vec<u8>,
    is_utf8: bool,
    /// The beginning of a character whose end is still to come.
    open: Vec<u8>,
}

impl Default for Sight {
    fn default() -> Self {
        Self { begin: Vec::new(), is_utf8: true, open: Vec::new() }
    }
}

impl Sight {
    pub(super) fn seen(self) -> Seen {
        let is_utf8 = self.is_utf8 && self.open.is_empty();
        Seen { is_utf8, ..Seen::of(&self.begin) }
    }
}

impl Write for Sight {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let missing = 4 - self.begin.len().min(4);
        self.begin.extend(bytes.iter().take(missing));
        if self.is_utf8 {
            // Only a character is carried on, and that only over the edge of a piece.
            let whole;
            let text = if self.open.is_empty() {
                bytes
            } else {
                whole = [&self.open, bytes].concat();
                &whole
            };
            let open = match std::str::from_utf8(text) {
                Ok(_) => &[][..],
                Err(error) => {
                    self.is_utf8 = error.error_len().is_none();
                    &text[error.valid_up_to()..]
                }
            };
            self.open = if self.is_utf8 { open.to_vec() } else { Vec::new() };
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_seen_whole_over_the_edges_of_its_pieces() {
        let long = "x".repeat(64 * 1024 - 1);
        for (bytes, is_utf8) in [
            (Vec::new(), true),
            (b"text".to_vec(), true),
            (format!("{long}\u{e9}").into_bytes(), true),
            (format!("{long}\u{1f6a7}{long}\u{1f6a7}").into_bytes(), true),
            ([long.as_bytes(), &[0xc3]].concat(), false),
            ([long.as_bytes(), &[0xc3], long.as_bytes()].concat(), false),
            ([long.as_bytes(), &[0xe9, b'n', b'e']].concat(), false),
        ] {
            let mut sight = Sight::default();
            for piece in bytes.chunks(64 * 1024) {
                sight.write_all(piece).unwrap();
            }
            let Seen { is_utf8: said, begin } = sight.seen();
            let first = Seen::of(&bytes).begin;
            assert_eq!((said, begin), (is_utf8, first), "{} bytes", bytes.len());
        }
    }
}
