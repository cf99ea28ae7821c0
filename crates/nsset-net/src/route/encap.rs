//! The encapsulation of the packets of a route: ip-route(8), `encap`. It is kept in the kernel's format, and not interpreted.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::route::RouteAttribute;
use serde::{Deserialize, Serialize};

use super::{RTA_ENCAP, RTA_ENCAP_TYPE};
use crate::{
    netlink::attributes::{Malformed, u16_at},
    octets::Octets,
};

/// A lightweight tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encap {
    #[serde(rename = "type")]
    pub kind: EncapKind,
    /// The attributes of `RTA_ENCAP`.
    pub data: Octets,
}

/// The kind of a lightweight tunnel: `LWTUNNEL_ENCAP_*` of linux/lwtunnel.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncapKind {
    Mpls,
    Ip,
    Ila,
    Ip6,
    Seg6,
    Bpf,
    #[serde(rename = "seg6local")]
    Seg6Local,
    Rpl,
    Ioam6,
    Xfrm,
    #[serde(untagged)]
    Other(u16),
}

/// The kinds in the order of their numbers, from 1.
const KINDS: [EncapKind; 10] = [
    EncapKind::Mpls,
    EncapKind::Ip,
    EncapKind::Ila,
    EncapKind::Ip6,
    EncapKind::Seg6,
    EncapKind::Bpf,
    EncapKind::Seg6Local,
    EncapKind::Rpl,
    EncapKind::Ioam6,
    EncapKind::Xfrm,
];

impl From<u16> for EncapKind {
    fn from(number: u16) -> Self {
        let known = usize::from(number).checked_sub(1).and_then(|at| KINDS.get(at));
        known.copied().unwrap_or(Self::Other(number))
    }
}

impl From<EncapKind> for u16 {
    fn from(kind: EncapKind) -> Self {
        match kind {
            EncapKind::Other(number) => number,
            kind => KINDS.iter().zip(1..).find(|(known, _)| **known == kind).map_or(0, |(_, number)| number),
        }
    }
}

impl Encap {
    pub(super) fn attributes(&self) -> [RouteAttribute; 2] {
        let kind = u16::from(self.kind).to_ne_bytes().to_vec();
        [(RTA_ENCAP_TYPE, kind), (RTA_ENCAP, self.data.0.clone())]
            .map(|(kind, value)| RouteAttribute::Other(DefaultNla::new(kind, value)))
    }
}

/// The two attributes of an encapsulation, while they are read.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    kind: Option<u16>,
    data: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Reads one of the two attributes.
    pub fn take(&mut self, kind: u16, value: &'a [u8]) -> Result<(), Malformed> {
        match kind {
            RTA_ENCAP_TYPE => self.kind = Some(u16_at(value, 0)?),
            RTA_ENCAP => self.data = value,
            _ => {}
        }
        Ok(())
    }

    pub fn whole(self) -> Option<Encap> {
        let kind = self.kind.filter(|kind| *kind != 0)?;
        Some(Encap { kind: kind.into(), data: Octets(self.data.to_vec()) })
    }
}
