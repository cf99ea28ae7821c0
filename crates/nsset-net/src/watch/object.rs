//! An object of a watched part: what identifies it, and its value.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    net::IpAddr,
    sync::Arc,
};

use ipnet::IpNet;
use serde::Serialize;

use super::verb::Verb;
use crate::{
    address::Address,
    conntrack::{ConnectionEnd, TrackedConnection},
    family::Family,
    filter::{FilterParent, Protocol},
    link::Link,
    mac::Mac,
    neighbour::{Neighbour, NeighbourStatistics},
    netlink::attributes::Malformed,
    next_hop::NextHopObject,
    qdisc::Handle,
    route::Route,
    rule::Rule,
};

/// What identifies an object in its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Link(u32),
    Address {
        link: u32,
        cidr: IpNet,
        peer: Option<IpAddr>,
    },
    /// Several routes can have the same key: those with other next hops.
    Route {
        table: u32,
        destination: IpNet,
        from: Option<IpNet>,
        tos: Option<u8>,
        metric: Option<u32>,
    },
    Neighbour {
        link: u32,
        address: IpAddr,
        is_proxy: bool,
    },
    /// Several rules can have the same priority.
    Rule {
        family: Family,
        priority: u32,
    },
    NextHop(u32),
    ForwardingEntry {
        /// The bridge whose table has it, or the link itself.
        owner: u32,
        is_of_bridge: bool,
        mac: Mac,
        vlan: Option<u16>,
        source_vni: Option<u32>,
        /// A VXLAN can have several entries for an address, with other destinations.
        is_of_tunnel: bool,
    },
    Vlan {
        link: u32,
        id: u16,
    },
    Qdisc {
        link: u32,
        parent: Handle,
    },
    Class {
        link: u32,
        handle: Handle,
    },
    Filter {
        link: u32,
        parent: FilterParent,
        chain: Option<u32>,
        priority: u16,
        protocol: Protocol,
        handle: u32,
    },
    /// A hash of the family, the table, the kind and the name.
    Firewall(u64),
    /// Connections with the same addresses can follow each other, and be in several zones.
    Connection {
        id: u32,
        zone: u16,
        source: ConnectionEnd,
        destination: ConnectionEnd,
    },
}

impl Key {
    /// Whether only one object at a time can have it.
    pub const fn is_unique(&self) -> bool {
        !matches!(self, Self::Route { .. } | Self::Rule { .. } | Self::ForwardingEntry { is_of_tunnel: true, .. })
    }

    /// The key of the VXLAN's entry that this one repeats, if there is such an entry: before Linux 6.13, rtnl_fdb_add() of
    /// net/core/rtnetlink.c reports it once more, without its destination.
    pub const fn of_tunnel(self) -> Option<Self> {
        match self {
            Self::ForwardingEntry { owner, is_of_bridge: false, mac, vlan, source_vni, is_of_tunnel: false } => {
                Some(Self::ForwardingEntry { owner, is_of_bridge: false, mac, vlan, source_vni, is_of_tunnel: true })
            }
            _ => None,
        }
    }
}

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub key: Key,
    /// The object as JSON.
    pub text: Arc<str>,
    /// A hash of what the object has, without counters and times, which change without a notification.
    pub digest: u64,
    /// Whether the kernel also reports it if it has changed another object with the same key: a route with several next hops, or a
    /// destination of a VXLAN.
    pub is_ambiguous: bool,
    /// A connection: notifications leave out what did not change.
    pub connection: Option<Arc<TrackedConnection>>,
}

impl Object {
    /// Whether both have the same value, apart from counters and times.
    pub const fn is_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Object {
    pub fn new(key: Key, text: String, digest: u64) -> Self {
        Self { key, text: text.into(), digest, is_ambiguous: false, connection: None }
    }

    /// Returns the object with what its notification left out.
    pub fn completed_by(self, before: &Self, verb: Verb) -> Result<Self, Malformed> {
        // br_vlan_notify() of net/bridge/br_vlan.c: a VLAN that is removed has no flags.
        if verb == Verb::Removed && matches!(self.key, Key::Vlan { .. }) {
            return Ok(before.clone());
        }
        let (Some(connection), Some(before)) = (&self.connection, &before.connection) else { return Ok(self) };
        let mut whole = TrackedConnection::clone(connection);
        whole.complete(before);
        whole.try_into()
    }
}

impl TryFrom<TrackedConnection> for Object {
    type Error = Malformed;

    fn try_from(connection: TrackedConnection) -> Result<Self, Malformed> {
        let digest = digest(&json(&connection.without_counts())?);
        let TrackedConnection { id, original, .. } = &connection;
        let zone = connection.zone.or(original.zone).unwrap_or_default();
        let key = Key::Connection { id: *id, zone, source: original.source, destination: original.destination };
        let object = Self::new(key, json(&connection)?, digest);
        Ok(Self { connection: Some(Arc::new(connection)), ..object })
    }
}

impl TryFrom<Link> for Object {
    type Error = Malformed;

    fn try_from(mut link: Link) -> Result<Self, Malformed> {
        let statistics = mem::take(&mut link.statistics);
        let digest = digest(&json(&link)?);
        link.statistics = statistics;
        Ok(Self::new(Key::Link(link.index), json(&link)?, digest))
    }
}

impl TryFrom<Address> for Object {
    type Error = Malformed;

    fn try_from(mut address: Address) -> Result<Self, Malformed> {
        let text = json(&address)?;
        let options = &mut address.options;
        let has_lifetime = options.valid_lifetime.take().is_some() | options.preferred_lifetime.take().is_some();
        let digest = if has_lifetime { digest(&json(&address)?) } else { digest(&text) };
        let key = Key::Address { link: address.link, cidr: address.cidr, peer: address.peer };
        Ok(Self::new(key, text, digest))
    }
}

impl TryFrom<Route> for Object {
    type Error = Malformed;

    fn try_from(mut route: Route) -> Result<Self, Malformed> {
        let text = json(&route)?;
        let expires = route.expires.take().is_some();
        let digest = if expires { digest(&json(&route)?) } else { digest(&text) };
        let Route { table, destination, from, tos, metric, .. } = route;
        let key = Key::Route { table, destination, from, tos, metric };
        Ok(Self { is_ambiguous: !route.next_hops.is_empty(), ..Self::new(key, text, digest) })
    }
}

impl TryFrom<Neighbour> for Object {
    type Error = Malformed;

    fn try_from(mut neighbour: Neighbour) -> Result<Self, Malformed> {
        let text = json(&neighbour)?;
        neighbour.statistics = NeighbourStatistics::default();
        let digest = digest(&json(&neighbour)?);
        let key = Key::Neighbour { link: neighbour.link, address: neighbour.address, is_proxy: neighbour.proxy };
        Ok(Self::new(key, text, digest))
    }
}

impl TryFrom<Rule> for Object {
    type Error = Malformed;

    fn try_from(rule: Rule) -> Result<Self, Malformed> {
        let text = json(&rule)?;
        let key = Key::Rule { family: rule.family, priority: rule.priority.unwrap_or_default() };
        let digest = digest(&text);
        Ok(Self::new(key, text, digest))
    }
}

impl TryFrom<NextHopObject> for Object {
    type Error = Malformed;

    fn try_from(hop: NextHopObject) -> Result<Self, Malformed> {
        let text = json(&hop)?;
        let digest = digest(&text);
        Ok(Self::new(Key::NextHop(hop.id), text, digest))
    }
}

/// The types of this crate can always be written as JSON.
pub(super) fn json(object: &impl Serialize) -> Result<String, Malformed> {
    serde_json::to_string(object).map_err(|_| Malformed)
}

pub(super) fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
