//! The address of a neighbour on its link: a MAC address, or that of a tunnel's other end.

use std::{fmt, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::{error::Error, mac::write_bytes};

/// The longest one of the kernel: `MAX_ADDR_LEN` of linux/netdevice.h.
const LONGEST: usize = 32;

/// Bytes in hexadecimal digits, with colons between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct HardwareAddress(pub Vec<u8>);

impl FromStr for HardwareAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let byte = |digits: &str| {
            let is_digits = matches!(digits.len(), 1 | 2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_digits.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
        };
        let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
        bytes.filter(|bytes| bytes.len() <= LONGEST).map(Self).ok_or_else(|| {
            Error::InvalidArgument(format!("'{text}' is not a hardware address such as 02:00:00:00:00:01"))
        })
    }
}

impl fmt::Display for HardwareAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_bytes(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for text in ["02:00:00:00:00:01", "0a:00:00:02", "ff", "00:01:02:03:04:05:06:07:08"] {
            assert_eq!(text.parse::<HardwareAddress>().unwrap().to_string(), text);
        }
        let long = vec!["00"; LONGEST + 1].join(":");
        for text in ["", "1:", "g0", "+1", "100", long.as_str()] {
            assert!(text.parse::<HardwareAddress>().is_err(), "{text}");
        }
    }
}
