//! Where a body in chunks ends (RFC 9112, section 7.1).

/// The digits of the longest size.
const MOST_DIGITS: u8 = 15;

/// The place in a body in chunks. Only what all servers read alike is accepted.
#[derive(Debug, Default)]
pub struct Chunks {
    place: Place,
    digits: u8,
    left: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Size,
    /// After the size, until the end of the line.
    Extension,
    EndOfSize,
    Data,
    AfterData,
    EndOfData,
    /// At the start of a line after the last chunk, and in one.
    Trailer,
    InTrailer,
    EndOfTrailer,
    EndOfBody,
    Ended,
}

/// The body is malformed.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

impl Chunks {
    pub fn has_ended(&self) -> bool {
        self.place == Place::Ended
    }

    /// Returns how many of the bytes belong to the body.
    pub fn read(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut read = 0;
        while let Some(byte) = bytes.get(read).filter(|_| !self.has_ended()) {
            if self.place != Place::Data {
                self.place = self.after(*byte)?;
                read += 1;
                continue;
            }
            let rest = (bytes.len() - read).min(usize::try_from(self.left).unwrap_or(usize::MAX));
            read += rest;
            self.left -= rest as u64;
            if self.left == 0 {
                self.place = Place::AfterData;
            }
        }
        Ok(read)
    }

    fn after(&mut self, byte: u8) -> Result<Place, Malformed> {
        Ok(match (self.place, byte) {
            (Place::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if self.digits < MOST_DIGITS => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                self.left = self.left << 4 | u64::from(digit);
                self.digits += 1;
                Place::Size
            }
            (Place::Size, b'\r') if self.digits > 0 => Place::EndOfSize,
            (Place::Size, b';' | b' ' | b'\t') if self.digits > 0 => Place::Extension,
            (Place::Extension, b'\r') => Place::EndOfSize,
            (Place::Extension, b' '.. | b'\t') => Place::Extension,
            (Place::EndOfSize, b'\n') => {
                self.digits = 0;
                if self.left == 0 { Place::Trailer } else { Place::Data }
            }
            (Place::AfterData, b'\r') => Place::EndOfData,
            (Place::EndOfData, b'\n') => Place::Size,
            (Place::Trailer, b'\r') => Place::EndOfBody,
            (Place::InTrailer, b'\r') => Place::EndOfTrailer,
            (Place::Trailer | Place::InTrailer, b' '.. | b'\t') => Place::InTrailer,
            (Place::EndOfTrailer, b'\n') => Place::Trailer,
            (Place::EndOfBody, b'\n') => Place::Ended,
            _ => return Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n";

    #[test]
    fn the_end_is_found_in_parts_of_any_length() {
        for length in 1..=BODY.len() {
            let mut chunks = Chunks::default();
            for part in BODY.chunks(length) {
                assert!(!chunks.has_ended());
                assert_eq!(chunks.read(part), Ok(part.len()), "{length}");
            }
            assert!(chunks.has_ended(), "{length}");
        }
    }

    #[test]
    fn what_comes_after_the_end_is_not_read() {
        let mut chunks = Chunks::default();
        assert_eq!(chunks.read(&[BODY, b"GET / HTTP/1.1"].concat()), Ok(BODY.len()));
    }

    #[test]
    fn what_servers_read_differently_is_malformed() {
        for text in
            ["5\nhello", "\r\n", "5\r\nhelloX", "5;a\n", "-1\r\n", "0\r\n\n", "0x5\r\n", "1234567890abcdef0\r\n"]
        {
            assert_eq!(Chunks::default().read(text.as_bytes()), Err(Malformed), "{text:?}");
        }
    }
}
