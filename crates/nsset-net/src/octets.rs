//! Bytes that only the kernel understands, as text: hexadecimal digits.

use std::{fmt, str::FromStr};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::error::Error;

/// Bytes that are passed through as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct Octets(pub Vec<u8>);

impl FromStr for Octets {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
        bytes.map(Self).map_err(|_| Error::InvalidArgument(format!("'{text}' is not pairs of hexadecimal digits")))
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXLOWER.encode_display(&self.0).fmt(formatter)
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
