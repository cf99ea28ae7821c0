//! Reads the attributes of a message without copying: a length, a type and a value, padded to four bytes (netlink(7)).
//!
//! Unknown attributes are not interpreted, so a kernel that is newer than this crate may add others.

use std::{
    mem,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use netlink_packet_core::{NLA_ALIGNTO, NLA_HEADER_SIZE, NLA_TYPE_MASK, NlaBuffer, NlasIterator};
use nix::errno::Errno;

use crate::error::NetlinkError;

/// The error for bytes that are not in the kernel's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl From<Malformed> for NetlinkError {
    fn from(_: Malformed) -> Self {
        Self { errno: Errno::EBADMSG, words: None }
    }
}

/// Iterates over consecutive attributes. The values live as long as the message; those of [`NlasIterator`] live no longer than
/// its items. An error ends it.
#[derive(Clone, Debug)]
pub(crate) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// The attributes after a header of this length.
    pub fn behind(header: usize, message: &'a [u8]) -> Result<Self, Malformed> {
        message.get(header..).map(Self::within).ok_or(Malformed)
    }

    /// The attributes nested in a value.
    pub fn within(value: &'a [u8]) -> Self {
        Self(value)
    }

    /// Returns the attributes that can be parsed as `T`, and skips the others.
    pub fn parsed<T>(self, parse: impl Fn(&NlaBuffer<&'a [u8]>) -> Option<T>) -> impl Iterator<Item = T> {
        NlasIterator::new(self.0).flatten().filter_map(move |attribute| parse(&attribute))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = mem::take(&mut self.0);
        (!bytes.is_empty()).then(|| self.split(bytes))
    }
}

impl<'a> Attributes<'a> {
    /// Returns the first attribute, and keeps those after it.
    fn split(&mut self, bytes: &'a [u8]) -> Result<(u16, &'a [u8]), Malformed> {
        let length = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)? & NLA_TYPE_MASK;
        let value = bytes.get(NLA_HEADER_SIZE..length).ok_or(Malformed)?;
        self.0 = bytes.get(length.next_multiple_of(NLA_ALIGNTO)..).unwrap_or_default();
        Ok((kind, value))
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

/// Reads a text, which ends with a NUL or with its attribute.
pub(crate) fn text(value: &[u8]) -> String {
    let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// Reads an IPv4 or an IPv6 address, depending on the length.
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
    fn attributes_are_split_without_their_padding() {
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
