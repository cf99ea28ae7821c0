//! A neighbour: a host on a link, with its address there.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    NTF_EXT_LEARNED, NTF_PROXY, NTF_ROUTER,
    entry::{CACHE_INFO, DESTINATION, FLAGS_EXT, HARDWARE_ADDRESS, Header, PROBES, PROTOCOL, attributes},
    hardware_address::HardwareAddress,
    statistics::NeighbourStatistics,
};
use crate::{
    family::{Family, octets},
    link_ref,
    netlink::attributes::{Malformed, ip, u8_at, u32_at},
    netlink::message::Message,
};

/// A neighbour.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Neighbour {
    /// The index of the link.
    #[serde(serialize_with = "link_ref::index")]
    pub link: u32,
    pub address: IpAddr,
    pub family: Family,
    pub mac: Option<HardwareAddress>,
    pub state: NeighbourState,
    /// Whether this host answers requests for the address on the link (proxy ARP, proxy NDP).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub proxy: bool,
    /// IPv6: whether it is a router.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub router: bool,
    /// Whether a program learned it, so that the kernel does not remove it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub externally_learned: bool,
    /// Whether the kernel keeps its address up to date, although no packet is sent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub managed: bool,
    /// What added it.
    pub protocol: Option<u8>,
    pub statistics: NeighbourStatistics,
}

/// A neighbour to add or to delete.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NeighbourSpec {
    pub address: IpAddr,
    pub mac: Option<HardwareAddress>,
    /// Default: permanent.
    pub state: Option<NeighbourState>,
    #[serde(default)]
    pub proxy: bool,
    #[serde(default)]
    pub router: bool,
    #[serde(default)]
    pub externally_learned: bool,
    #[serde(default)]
    pub managed: bool,
    pub protocol: Option<u8>,
}

/// What the kernel knows of a neighbour's address: `NUD_*` of linux/neighbour.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeighbourState {
    None,
    Incomplete,
    Reachable,
    Stale,
    Delay,
    Probe,
    Failed,
    Noarp,
    Permanent,
    #[serde(untagged)]
    Other(u16),
}

/// The states in the order of their bits.
const STATES: [NeighbourState; 8] = [
    NeighbourState::Incomplete,
    NeighbourState::Reachable,
    NeighbourState::Stale,
    NeighbourState::Delay,
    NeighbourState::Probe,
    NeighbourState::Failed,
    NeighbourState::Noarp,
    NeighbourState::Permanent,
];

/// `NTF_EXT_MANAGED` of linux/neighbour.h.
const MANAGED: u32 = 1;

impl From<u16> for NeighbourState {
    fn from(bits: u16) -> Self {
        if bits == 0 {
            return Self::None;
        }
        let known = STATES.iter().zip(0..).find(|(_, bit)| bits == 1 << *bit);
        known.map_or(Self::Other(bits), |(state, _)| *state)
    }
}

impl From<NeighbourState> for u16 {
    fn from(state: NeighbourState) -> Self {
        match state {
            NeighbourState::Other(bits) => bits,
            state => STATES.iter().zip(0..).find(|(known, _)| **known == state).map_or(0, |(_, bit)| 1 << bit),
        }
    }
}

impl Neighbour {
    /// Reads the body of an `RTM_NEWNEIGH`. `None` if it is not a neighbour of IPv4 or IPv6.
    pub(crate) fn read(message: &[u8]) -> Result<Option<Self>, Malformed> {
        let header = Header::read(message)?;
        let Some(family) = Family::from_number(header.family) else { return Ok(None) };
        let (mut address, mut mac, mut protocol, mut managed) = (None, None, None, false);
        let mut statistics = NeighbourStatistics::default();
        for attribute in attributes(message)? {
            match attribute? {
                (DESTINATION, value) => address = Some(ip(value)?),
                (HARDWARE_ADDRESS, value) => {
                    mac = Some(HardwareAddress(value.to_vec())).filter(|mac| !mac.0.is_empty());
                }
                (CACHE_INFO, value) => statistics.take_cache_info(value)?,
                (PROBES, value) => statistics.probes = u32_at(value, 0)?,
                (PROTOCOL, value) => protocol = Some(u8_at(value, 0)?),
                (FLAGS_EXT, value) => managed = u32_at(value, 0)? & MANAGED != 0,
                _ => {}
            }
        }
        // An entry of a link without IP addresses of neighbours, such as a key of DECnet.
        let Some(address) = address else { return Ok(None) };
        let has = |flag: u8| header.flags & flag != 0;
        Ok(Some(Self {
            link: header.link,
            address,
            family,
            mac,
            state: header.state.into(),
            proxy: has(NTF_PROXY),
            router: has(NTF_ROUTER),
            externally_learned: has(NTF_EXT_LEARNED),
            managed,
            protocol,
            statistics,
        }))
    }
}

impl NeighbourSpec {
    pub(super) fn message(&self, kind: u16, link: u32) -> Message {
        let flags = [(self.proxy, NTF_PROXY), (self.router, NTF_ROUTER), (self.externally_learned, NTF_EXT_LEARNED)];
        let header = Header {
            family: Family::of(self.address).number(),
            link,
            state: self.sent_state().into(),
            flags: flags.into_iter().filter(|(on, _)| *on).fold(0, |flags, (_, flag)| flags | flag),
        };
        let mut message = header.message(kind);
        let attributes = &mut message.attributes;
        attributes.put(DESTINATION, &octets(self.address));
        if let Some(mac) = &self.mac {
            attributes.put(HARDWARE_ADDRESS, &mac.0);
        }
        if let Some(protocol) = self.protocol {
            attributes.put_u8(PROTOCOL, protocol);
        }
        if self.managed {
            attributes.put_u32(FLAGS_EXT, MANAGED);
        }
        message
    }

    /// A proxy that is not permanent ends when its link loses its carrier. The kernel lists the state of each proxy as none.
    fn sent_state(&self) -> NeighbourState {
        let is_listed = |state: &NeighbourState| self.proxy && *state == NeighbourState::None;
        self.state.filter(|state| !is_listed(state)).unwrap_or(NeighbourState::Permanent)
    }
}

impl fmt::Display for NeighbourSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.proxy { "proxy" } else { "neighbour" };
        write!(formatter, "{kind} {}", self.address)
    }
}
