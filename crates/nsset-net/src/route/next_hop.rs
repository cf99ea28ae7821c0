//! The next hops of a multipath route.

use std::net::IpAddr;

use netlink_packet_route::route::{RouteAttribute, RouteNextHop};
use rtnetlink::RouteNextHopBuilder;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    ON_LINK, RTA_VIA,
    encap::{Encap, Parts},
    gateway::{ip_of, mixed_families, via},
    realm::realm,
};
use crate::{
    cidr::family,
    link_ref::{self, LinkRef},
    netlink::attributes::{Attributes, Malformed, u8_at, u16_at, u32_at},
};

/// A next hop of a multipath route.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextHop {
    #[serde(rename = "via")]
    pub gateway: Option<IpAddr>,
    /// The index of the link through which packets leave.
    #[serde(serialize_with = "link_ref::optional_index")]
    pub dev: Option<u32>,
    /// Its share of the packets, 1 to 256.
    pub weight: u16,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub on_link: bool,
    pub realm: Option<u32>,
    pub encap: Option<Encap>,
}

/// The specification of a next hop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NextHopSpec {
    #[serde(rename = "via")]
    pub gateway: Option<IpAddr>,
    pub dev: Option<LinkRef>,
    /// Its share of the packets, 1 to 256. Default: 1.
    pub weight: Option<u16>,
    pub on_link: bool,
    pub realm: Option<u32>,
    pub encap: Option<Encap>,
}

/// `struct rtnexthop` of linux/rtnetlink.h.
const HEADER: usize = 8;

impl NextHop {
    /// Reads `RTA_MULTIPATH` of a route of the family of `anywhere`.
    pub(super) fn read_all(mut bytes: &[u8], anywhere: IpAddr) -> Result<Vec<Self>, Malformed> {
        let mut hops = Vec::new();
        while !bytes.is_empty() {
            let length = usize::from(u16_at(bytes, 0)?);
            let hop = bytes.get(..length).filter(|hop| hop.len() >= HEADER).ok_or(Malformed)?;
            hops.push(Self::read(hop, anywhere)?);
            bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(hops)
    }

    fn read(bytes: &[u8], anywhere: IpAddr) -> Result<Self, Malformed> {
        let index = u32_at(bytes, 4)?;
        let mut hop = Self {
            gateway: None,
            dev: (index != 0).then_some(index),
            weight: 1 + u16::from(u8_at(bytes, 3)?),
            on_link: u32::from(u8_at(bytes, 2)?) & ON_LINK != 0,
            realm: None,
            encap: None,
        };
        let mut encap = Parts::default();
        for attribute in Attributes::behind(HEADER, bytes)? {
            match attribute? {
                (libc::RTA_GATEWAY, value) => hop.gateway = Some(ip_of(anywhere, value)?),
                (RTA_VIA, value) => hop.gateway = Some(via(value)?),
                (libc::RTA_FLOW, value) => hop.realm = Some(u32_at(value, 0)?),
                (kind, value) => encap.take(kind, value)?,
            }
        }
        hop.encap = encap.whole();
        Ok(hop)
    }
}

impl From<&NextHop> for NextHopSpec {
    fn from(hop: &NextHop) -> Self {
        Self {
            gateway: hop.gateway,
            dev: hop.dev.map(LinkRef::Index),
            weight: Some(hop.weight),
            on_link: hop.on_link,
            realm: hop.realm,
            encap: hop.encap.clone(),
        }
    }
}

impl NextHopSpec {
    /// Returns the next hop for a request, for a route to this destination. `dev` is the index of the link.
    pub(super) fn build(&self, destination: IpAddr, dev: Option<u32>) -> crate::Result<RouteNextHop> {
        let share = self.weight.unwrap_or(1).saturating_sub(1);
        let mut hop = RouteNextHopBuilder::new(family(destination))
            .interface(dev.unwrap_or(0))
            .weight(u8::try_from(share).unwrap_or(u8::MAX));
        if self.on_link {
            hop = hop.onlink();
        }
        if let Some(gateway) = self.gateway {
            hop = hop.via(gateway).map_err(mixed_families)?;
        }
        let mut hop = hop.build();
        hop.attributes.extend(self.realm.map(realm).map(RouteAttribute::Realm));
        hop.attributes.extend(self.encap.iter().flat_map(Encap::attributes));
        Ok(hop)
    }
}
