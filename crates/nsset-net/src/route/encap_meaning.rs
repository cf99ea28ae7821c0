//! What an encapsulation means: the labels of MPLS, and the segments of IPv6 segment routing.

use std::net::Ipv6Addr;

use serde::Serialize;
use serde_with::skip_serializing_none;

use super::encap_kind::EncapKind;
use crate::netlink::attributes::{Attributes, Malformed, array_at, u8_at, u32_at};

/// What the data of an encapsulation say, if this crate can read them.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Meaning {
    /// MPLS: the labels, the outer one first.
    pub labels: Option<Vec<u32>>,
    /// Segment routing: the addresses in the order in which packets visit them.
    pub segments: Option<Vec<Ipv6Addr>>,
    /// Segment routing: where the header is added.
    pub mode: Option<Seg6Mode>,
}

/// `SEG6_IPTUN_MODE_*` of linux/seg6_iptunnel.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Seg6Mode {
    #[serde(rename = "inline")]
    Inline,
    #[serde(rename = "encap")]
    Encap,
    #[serde(rename = "l2encap")]
    L2Encap,
    #[serde(rename = "encap.red")]
    EncapReduced,
    #[serde(rename = "l2encap.red")]
    L2EncapReduced,
    #[serde(untagged)]
    Other(u32),
}

/// `MPLS_IPTUNNEL_DST` of linux/mpls_iptunnel.h, and `SEG6_IPTUNNEL_SRH`.
const VALUE: u16 = 1;

/// `struct seg6_iptunnel_encap`: the mode, and `struct ipv6_sr_hdr` before the segments.
const SEG6_HEADER: usize = 12;
const SEG6_LAST_ENTRY: usize = 8;

impl Meaning {
    pub(super) fn read(kind: EncapKind, data: &[u8]) -> Result<Self, Malformed> {
        let mut meaning = Self::default();
        for attribute in Attributes::within(data) {
            match (kind, attribute?) {
                (EncapKind::Mpls, (VALUE, value)) => meaning.labels = Some(labels(value)?),
                (EncapKind::Seg6, (VALUE, value)) => {
                    meaning.mode = Some(u32_at(value, 0)?.into());
                    meaning.segments = Some(segments(value)?);
                }
                _ => {}
            }
        }
        Ok(meaning)
    }
}

/// Reads a stack of labels (RFC 3032), each in the upper 20 bits of a word.
fn labels(value: &[u8]) -> Result<Vec<u32>, Malformed> {
    value.chunks_exact(4).map(|word| array_at(word, 0).map(|bytes| u32::from_be_bytes(bytes) >> 12)).collect()
}

/// Reads a list of segments (RFC 8754), which begins with the last one.
fn segments(value: &[u8]) -> Result<Vec<Ipv6Addr>, Malformed> {
    let count = 1 + usize::from(u8_at(value, SEG6_LAST_ENTRY)?);
    let segment = |place: usize| array_at::<16>(value, SEG6_HEADER + 16 * place).map(Ipv6Addr::from);
    (0..count).rev().map(segment).collect()
}

impl From<u32> for Seg6Mode {
    fn from(number: u32) -> Self {
        match number {
            0 => Self::Inline,
            1 => Self::Encap,
            2 => Self::L2Encap,
            3 => Self::EncapReduced,
            4 => Self::L2EncapReduced,
            other => Self::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_mpls_are_read() {
        let data = [12, 0, 1, 0, 0, 1, 0, 0, 0, 2, 1, 0];
        let meaning = Meaning::read(EncapKind::Mpls, &data).unwrap();
        assert_eq!(meaning.labels, Some(vec![16, 32]));
        assert_eq!(Meaning::read(EncapKind::Ip, &data).unwrap(), Meaning::default());
    }
}
