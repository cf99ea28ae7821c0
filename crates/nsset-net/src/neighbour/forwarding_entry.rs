//! A forwarding entry: where a bridge or a VXLAN sends frames to a MAC address.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    NTF_EXT_LEARNED, NTF_MASTER, NTF_OFFLOADED, NTF_SELF, NTF_STICKY,
    entry::{
        CACHE_INFO, DESTINATION, HARDWARE_ADDRESS, Header, MASTER, NEXT_HOP_ID, PORT, SOURCE_VNI, VIA, VLAN, VNI,
        attributes,
    },
    statistics::ForwardingStatistics,
};
use crate::{
    family::octets,
    link_ref::{self, LinkRef},
    mac::Mac,
    netlink::attributes::{Malformed, array_at, ip, u16_at, u32_at},
    netlink::message::Message,
};

/// A forwarding entry.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardingEntry {
    /// The index of the link through which frames leave.
    #[serde(serialize_with = "link_ref::index")]
    pub link: u32,
    pub mac: Mac,
    pub table: ForwardingTable,
    /// The index of the bridge of the link.
    #[serde(serialize_with = "link_ref::optional_index")]
    pub master: Option<u32>,
    pub state: ForwardingState,
    pub vlan: Option<u16>,
    /// VXLAN: the address of the tunnel's other end.
    pub dst: Option<IpAddr>,
    /// VXLAN: the UDP port of the other end, if it is not that of the link.
    pub port: Option<u16>,
    /// VXLAN: the network identifier, if it is not that of the link.
    pub vni: Option<u32>,
    /// VXLAN with external metadata: the identifier of the frames for which the entry is.
    pub source_vni: Option<u32>,
    /// VXLAN: the index of the link through which the packets of the tunnel leave.
    #[serde(serialize_with = "link_ref::optional_index")]
    pub via: Option<u32>,
    /// VXLAN: the id of a group of next hops, instead of an address.
    pub next_hop_id: Option<u32>,
    /// Whether the kernel never moves it to another port.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sticky: bool,
    /// Whether a program learned it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub externally_learned: bool,
    /// Whether the hardware forwards by it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub offloaded: bool,
    pub statistics: ForwardingStatistics,
}

/// A forwarding entry to add or to delete.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardingEntrySpec {
    pub mac: Mac,
    /// Default: that of the link.
    #[serde(default)]
    pub table: ForwardingTable,
    /// Default: permanent.
    #[serde(default)]
    pub state: ForwardingState,
    pub vlan: Option<u16>,
    pub dst: Option<IpAddr>,
    pub port: Option<u16>,
    pub vni: Option<u32>,
    pub source_vni: Option<u32>,
    pub via: Option<LinkRef>,
    pub next_hop_id: Option<u32>,
    #[serde(default)]
    pub sticky: bool,
    #[serde(default)]
    pub externally_learned: bool,
}

/// Which table has an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForwardingTable {
    /// That of the link itself.
    #[default]
    #[serde(rename = "self")]
    Link,
    /// That of the bridge of which the link is a port.
    Master,
}

/// How long an entry stays: `NUD_*` of linux/neighbour.h, with the names of bridge(8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForwardingState {
    /// Always; in the table of a bridge, frames to the address are for this host.
    #[default]
    Permanent,
    /// Always.
    Static,
    /// Until it has not been used for some time.
    Dynamic,
    /// It has not been used for some time.
    Stale,
    #[serde(untagged)]
    Other(u16),
}

const STATES: [(ForwardingState, u16); 4] = [
    (ForwardingState::Permanent, 0x80),
    (ForwardingState::Static, 0x40),
    (ForwardingState::Dynamic, 0x02),
    (ForwardingState::Stale, 0x04),
];

impl From<u16> for ForwardingState {
    /// The first bit counts: bridge(8) adds permanent entries with that of static ones, too.
    fn from(bits: u16) -> Self {
        STATES.iter().find(|(_, known)| known & bits != 0).map_or(Self::Other(bits), |(state, _)| *state)
    }
}

impl From<ForwardingState> for u16 {
    fn from(state: ForwardingState) -> Self {
        match state {
            ForwardingState::Other(bits) => bits,
            state => STATES.iter().find(|(known, _)| *known == state).map_or(0, |(_, bits)| *bits),
        }
    }
}

impl ForwardingEntry {
    /// Reads the body of an `RTM_NEWNEIGH`. `None` if it is not a forwarding entry.
    pub(crate) fn read(message: &[u8]) -> Result<Option<Self>, Malformed> {
        let header = Header::read(message)?;
        if i32::from(header.family) != libc::AF_BRIDGE {
            return Ok(None);
        }
        let has = |flag: u8| header.flags & flag != 0;
        let mut entry = Self {
            link: header.link,
            mac: Mac([0; 6]),
            table: ForwardingTable::Link,
            master: None,
            state: header.state.into(),
            vlan: None,
            dst: None,
            port: None,
            vni: None,
            source_vni: None,
            via: None,
            next_hop_id: None,
            sticky: has(NTF_STICKY),
            externally_learned: has(NTF_EXT_LEARNED),
            offloaded: has(NTF_OFFLOADED),
            statistics: ForwardingStatistics::default(),
        };
        for attribute in attributes(message)? {
            let (kind, value) = attribute?;
            match kind {
                HARDWARE_ADDRESS => entry.mac = Mac(array_at(value, 0)?),
                MASTER => entry.master = Some(u32_at(value, 0)?),
                VLAN => entry.vlan = Some(u16_at(value, 0)?),
                DESTINATION => entry.dst = Some(ip(value)?),
                PORT => entry.port = Some(u16::from_be(u16_at(value, 0)?)),
                VNI => entry.vni = Some(u32_at(value, 0)?),
                SOURCE_VNI => entry.source_vni = Some(u32_at(value, 0)?),
                VIA => entry.via = Some(u32_at(value, 0)?),
                NEXT_HOP_ID => entry.next_hop_id = Some(u32_at(value, 0)?),
                CACHE_INFO => entry.statistics = ForwardingStatistics::read(value)?,
                _ => {}
            }
        }
        // The kernel names the bridge as the master of its own entries, too.
        if !has(NTF_SELF) && entry.master.is_some_and(|master| master != entry.link) {
            entry.table = ForwardingTable::Master;
        }
        Ok(Some(entry))
    }
}

impl ForwardingEntrySpec {
    pub(super) fn message(&self, kind: u16, link: u32, via: Option<u32>) -> Message {
        let flags = [
            (self.table == ForwardingTable::Link, NTF_SELF),
            (self.table == ForwardingTable::Master, NTF_MASTER),
            (self.sticky, NTF_STICKY),
            (self.externally_learned, NTF_EXT_LEARNED),
        ];
        let header = Header {
            family: libc::AF_BRIDGE as u8,
            link,
            state: self.state.into(),
            flags: flags.into_iter().filter(|(on, _)| *on).fold(0, |flags, (_, flag)| flags | flag),
        };
        let mut message = header.message(kind);
        let attributes = &mut message.attributes;
        attributes.put(HARDWARE_ADDRESS, &self.mac.0);
        if let Some(dst) = self.dst {
            attributes.put(DESTINATION, &octets(dst));
        }
        if let Some(vlan) = self.vlan {
            attributes.put_u16(VLAN, vlan);
        }
        if let Some(port) = self.port {
            attributes.put_u16(PORT, port.to_be());
        }
        for (kind, number) in
            [(VNI, self.vni), (SOURCE_VNI, self.source_vni), (VIA, via), (NEXT_HOP_ID, self.next_hop_id)]
        {
            if let Some(number) = number {
                attributes.put_u32(kind, number);
            }
        }
        message
    }
}

impl fmt::Display for ForwardingEntrySpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "forwarding entry {}", self.mac)?;
        match self.dst {
            Some(dst) => write!(formatter, " to {dst}"),
            None => Ok(()),
        }
    }
}
