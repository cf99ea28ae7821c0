//! Handles, by which queueing disciplines refer to each other: tc(8), "HANDLES".

use std::{fmt, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::error::Error;

/// A handle, `MAJOR:MINOR` in hexadecimal digits, or `root`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct Handle {
    pub major: u16,
    pub minor: u16,
}

impl Handle {
    /// The root of a link's queueing disciplines.
    pub const ROOT: Self = Self { major: 0xFFFF, minor: 0xFFFF };

    /// The parent of `ingress` and `clsact`, which handle arriving packets.
    pub const INGRESS: Self = Self { major: 0xFFFF, minor: 0xFFF1 };

    /// The handle that `ingress` and `clsact` always have.
    pub const OF_INGRESS: Self = Self { major: 0xFFFF, minor: 0 };

    /// No handle: the kernel chooses one.
    pub const NONE: Self = Self { major: 0, minor: 0 };

    pub(crate) const fn none() -> Self {
        Self::NONE
    }

    pub(crate) const fn from_u32(number: u32) -> Self {
        Self { major: (number >> 16) as u16, minor: number as u16 }
    }

    pub(crate) fn to_u32(self) -> u32 {
        u32::from(self.major) << 16 | u32::from(self.minor)
    }
}

impl FromStr for Handle {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::InvalidArgument(format!("'{text}' is not a handle such as 1:, 1:10, root or ingress"));
        match text {
            "root" => return Ok(Self::ROOT),
            "ingress" | "clsact" => return Ok(Self::INGRESS),
            _ => {}
        }
        let (major, minor) = text.split_once(':').ok_or_else(wrong)?;
        let number = |digits: &str| match digits {
            "" => Some(0),
            digits if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => u16::from_str_radix(digits, 16).ok(),
            _ => None,
        };
        Ok(Self { major: number(major).ok_or_else(wrong)?, minor: number(minor).ok_or_else(wrong)? })
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ROOT => formatter.write_str("root"),
            Self { major, minor: 0 } => write!(formatter, "{major:x}:"),
            Self { major, minor } => write!(formatter, "{major:x}:{minor:x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for text in ["1:", "1:10", "8001:", "ffff:fff1", "root"] {
            assert_eq!(text.parse::<Handle>().unwrap().to_string(), text);
        }
        for text in ["", "1", "1:10:2", "g:", "+1:", "10000:"] {
            assert!(text.parse::<Handle>().is_err(), "{text}");
        }
    }
}
