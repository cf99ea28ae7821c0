//! MAC addresses.

use std::{fmt, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::error::Error;

/// The MAC address of a link: six bytes, written as `02:00:00:00:00:01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct Mac(pub [u8; 6]);

impl FromStr for Mac {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::InvalidArgument(format!("'{text}' is not a MAC address such as 02:00:00:00:00:01"));
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            *byte = parts.next().and_then(hexadecimal).ok_or_else(wrong)?;
        }
        if parts.next().is_some() { Err(wrong()) } else { Ok(Self(bytes)) }
    }
}

/// One or two digits, and no sign.
fn hexadecimal(text: &str) -> Option<u8> {
    let is_digits = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digits.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl fmt::Display for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_bytes(&self.0, formatter)
    }
}

/// How many bytes are written at once: formatting each by itself is slower, and long lists have many.
const AT_ONCE: usize = 8;

/// Writes bytes as pairs of digits, with colons between them.
pub(crate) fn write_bytes(bytes: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    let mut before = 1;
    for bytes in bytes.chunks(AT_ONCE) {
        let mut text = [b':'; 3 * AT_ONCE];
        for (place, byte) in text.chunks_mut(3).zip(bytes) {
            if let [_, high, low] = place {
                (*high, *low) = (digit(byte >> 4), digit(byte & 0xf));
            }
        }
        // Only the first has no colon before it.
        let text = text.get(before..3 * bytes.len()).unwrap_or_default();
        formatter.write_str(str::from_utf8(text).unwrap_or_default())?;
        before = 0;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        let mac: Mac = "02:00:5e:00:53:aF".parse().unwrap();
        assert_eq!(mac, Mac([2, 0, 0x5e, 0, 0x53, 0xaf]));
        assert_eq!(mac.to_string(), "02:00:5e:00:53:af");
    }

    #[test]
    fn nothing_else_is_one() {
        for text in ["", "02", "02:00:00:00:00", "02:00:00:00:00:00:00", "02:00:00:00:00:0g", "+2:00:00:00:00:00"] {
            assert!(text.parse::<Mac>().unwrap_err().to_string().contains(text), "{text}");
        }
    }
}
