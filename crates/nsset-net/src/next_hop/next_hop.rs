//! A next hop object or a group, as the kernel describes it, and as it is added.

use std::{fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use crate::{
    family::Family,
    link_ref::{self, LinkRef},
    milliseconds::Milliseconds,
    route::Encap,
    scope::Scope,
};

/// A next hop, or a group of next hops.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextHopObject {
    pub id: u32,
    /// A group has none.
    pub family: Option<Family>,
    #[serde(rename = "via")]
    pub gateway: Option<IpAddr>,
    #[serde(serialize_with = "link_ref::optional_index")]
    pub dev: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub on_link: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blackhole: bool,
    /// Whether it is for the forwarding entries of a VXLAN.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fdb: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<GroupMember>,
    pub group_type: Option<GroupType>,
    pub resilience: Option<Resilience>,
    pub encap: Option<Encap>,
    pub scope: Scope,
    pub protocol: u8,
}

/// A next hop or a group to add.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextHopObjectSpec {
    pub id: u32,
    /// Default: that of the gateway, otherwise IPv4; none for a group.
    pub family: Option<Family>,
    #[serde(rename = "via")]
    pub gateway: Option<IpAddr>,
    pub dev: Option<LinkRef>,
    #[serde(default)]
    pub on_link: bool,
    #[serde(default)]
    pub blackhole: bool,
    #[serde(default)]
    pub fdb: bool,
    #[serde(default)]
    pub group: Vec<GroupMember>,
    pub group_type: Option<GroupType>,
    pub resilience: Option<Resilience>,
    pub encap: Option<Encap>,
    pub protocol: Option<u8>,
}

/// A member of a group: `struct nexthop_grp` of linux/nexthop.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    pub id: u32,
    /// Its share of the packets, 1 to 256.
    #[serde(default = "one")]
    pub weight: u16,
}

const fn one() -> u16 {
    1
}

/// How a group chooses a member for a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupType {
    /// By a hash of the packet.
    Multipath,
    /// By a hash, so that few flows change their member if the group changes.
    Resilient,
}

/// The table of a resilient group.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Resilience {
    pub buckets: Option<u16>,
    /// How long a bucket must be unused before it may change its member.
    #[serde_as(as = "Option<Milliseconds>")]
    pub idle_timer: Option<Duration>,
    /// How long the group may be out of balance before buckets in use change their member; 0 is for ever.
    #[serde_as(as = "Option<Milliseconds>")]
    pub unbalanced_timer: Option<Duration>,
}

impl fmt::Display for NextHopObjectSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "next hop {}", self.id)
    }
}
