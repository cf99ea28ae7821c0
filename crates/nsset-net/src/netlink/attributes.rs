//! Reads the attributes of a message where they lie: a length, a type, a value, padded to four bytes (netlink(7)).
//!
//! Nothing is copied, and what is not asked for is not looked into: a kernel newer than this crate may add what it likes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::errno::Errno;

use crate::error::Refusal;

/// The bytes are not what the kernel sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Self { errno: Errno::EBADMSG, words: None }
    }
}

const HEADER: usize = 4;

/// `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER` are no part of the type.
const TYPE_MASK: u16 = 0x3FFF;

/// Goes through attributes that lie one behind the other.
#[derive(Clone, Debug)]
pub(crate) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// The attributes behind a header of this length.
    pub fn behind(header: usize, message: &'a [u8]) -> Result<Self, Malformed> {
        message.get(header..).map(Self).ok_or(Malformed)
    }

    /// The attributes inside of one.
    pub const fn within(value: &'a [u8]) -> Self {
        Self(value)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        let (Ok(length), Ok(kind)) = (u16_at(bytes, 0), u16_at(bytes, 2)) else { return Some(Err(Malformed)) };
        let Some(value) = bytes.get(HEADER..length.into()) else { return Some(Err(Malformed)) };
        self.0 = bytes.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
        Some(Ok((kind & TYPE_MASK, value)))
    }
}

pub(crate) fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> Result<[u8; N], Malformed> {
    bytes.get(offset..).and_then(<[u8]>::first_chunk).copied().ok_or(Malformed)
}

pub(crate) fn u8_at(bytes: &[u8], offset: usize) -> Result<u8, Malformed> {
    bytes.get(offset).copied().ok_or(Malformed)
}

pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Result<u16, Malformed> {
    array_at(bytes, offset).map(u16::from_ne_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Result<u32, Malformed> {
    array_at(bytes, offset).map(u32::from_ne_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> Result<u64, Malformed> {
    array_at(bytes, offset).map(u64::from_ne_bytes)
}

/// Writes an attribute behind others, padded to four bytes.
pub(crate) fn put(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// Text ends with a NUL, or with its attribute.
pub(crate) fn text(value: &[u8]) -> String {
    let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// An IPv4 or an IPv6 address, by its length.
pub(crate) fn ip(value: &[u8]) -> Result<IpAddr, Malformed> {
    match value.len() {
        4 => Ok(Ipv4Addr::from(array_at::<4>(value, 0)?).into()),
        16 => Ok(Ipv6Addr::from(array_at::<16>(value, 0)?).into()),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_told_apart_without_their_padding() {
        let bytes = [5, 0, 1, 0, 7, 0, 0, 0, 8, 0, 2, 0x80, 1, 2, 3, 4, 4, 0, 3, 0];
        let attributes: Vec<_> = Attributes::within(&bytes).map(Result::unwrap).collect();
        assert_eq!(attributes, [(1, &[7][..]), (2, &[1, 2, 3, 4]), (3, &[])]);
    }

    #[test]
    fn one_that_is_cut_short_ends_them_with_an_error() {
        for bytes in [&[8, 0, 1, 0, 1][..], &[3, 0, 1, 0], &[0, 0, 0, 0], &[4, 0, 1]] {
            let attributes: Vec<_> = Attributes::within(bytes).collect();
            assert_eq!(attributes, [Err(Malformed)]);
        }
        assert_eq!(Attributes::behind(4, &[0; 3]).map(drop), Err(Malformed));
    }
}
