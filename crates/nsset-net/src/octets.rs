//! Bytes that only the kernel understands, as hexadecimal digits. The crate data-encoding would add 50 kB to the binary: if both
//! its base64 and its hexadecimal encoding are used, the compiler keeps the code of all its encodings.

use std::{fmt, fmt::Write, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::error::Error;

/// Bytes that are passed through without interpretation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct Octets(pub Vec<u8>);

impl FromStr for Octets {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
        match digits {
            Some(digits) if digits.len().is_multiple_of(2) => Ok(Self(
                digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect(),
            )),
            _ => Err(Error::InvalidArgument(format!("'{text}' is not pairs of hexadecimal digits"))),
        }
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(2 * self.0.len());
        for byte in &self.0 {
            write!(text, "{byte:02x}")?;
        }
        formatter.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_as_they_are_written() {
        for text in ["", "00", "08000100c0a80001"] {
            assert_eq!(text.parse::<Octets>().unwrap().to_string(), text);
        }
        assert_eq!("fF".parse::<Octets>().unwrap(), Octets(vec![255]));
        for text in ["0", "0g", "+1", "0x00", "äö"] {
            assert!(text.parse::<Octets>().is_err(), "{text}");
        }
    }
}
