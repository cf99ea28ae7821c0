//! The encapsulation of the packets of a route: ip-route(8), `encap`. It is kept in the kernel's format.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::route::RouteAttribute;
use serde::{Deserialize, Serialize};

use super::{RTA_ENCAP, RTA_ENCAP_TYPE, encap_kind::EncapKind, encap_meaning::Meaning};
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
    #[serde(flatten, skip_deserializing)]
    pub meaning: Meaning,
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
pub(crate) struct Parts<'a> {
    kind: Option<u16>,
    data: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Reads one of the two attributes.
    pub fn take(&mut self, kind: u16, value: &'a [u8]) -> Result<(), Malformed> {
        match kind {
            RTA_ENCAP_TYPE => self.take_kind(value)?,
            RTA_ENCAP => self.take_data(value),
            _ => {}
        }
        Ok(())
    }

    pub fn take_kind(&mut self, value: &[u8]) -> Result<(), Malformed> {
        self.kind = Some(u16_at(value, 0)?);
        Ok(())
    }

    pub fn take_data(&mut self, value: &'a [u8]) {
        self.data = value;
    }

    pub fn whole(self) -> Option<Encap> {
        let kind = self.kind.filter(|kind| *kind != 0)?;
        let (kind, data) = (kind.into(), Octets(self.data.to_vec()));
        // The kernel has written it, but a newer one may write it otherwise.
        let meaning = Meaning::read(kind, self.data).unwrap_or_default();
        Some(Encap { kind, data, meaning })
    }
}
