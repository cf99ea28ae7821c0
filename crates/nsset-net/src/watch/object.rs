//! An object of a watched part: what identifies it, and its value.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    net::IpAddr,
    sync::Arc,
};

use ipnet::IpNet;
use serde::Serialize;

use crate::{
    address::Address,
    family::Family,
    link::Link,
    neighbour::{Neighbour, NeighbourStatistics},
    netlink::attributes::Malformed,
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
}

impl Key {
    /// Whether only one object at a time can have it.
    pub const fn is_unique(&self) -> bool {
        !matches!(self, Self::Route { .. } | Self::Rule { .. })
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
    /// Whether it is a route with several next hops.
    pub is_multipath: bool,
}

impl Object {
    /// Whether both have the same value, apart from counters and times.
    pub const fn is_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl TryFrom<Link> for Object {
    type Error = Malformed;

    fn try_from(mut link: Link) -> Result<Self, Malformed> {
        let statistics = mem::take(&mut link.statistics);
        let digest = digest(&json(&link)?);
        link.statistics = statistics;
        Ok(Self { key: Key::Link(link.index), text: json(&link)?.into(), digest, is_multipath: false })
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
        Ok(Self { key, text: text.into(), digest, is_multipath: false })
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
        Ok(Self { key, text: text.into(), digest, is_multipath: !route.next_hops.is_empty() })
    }
}

impl TryFrom<Neighbour> for Object {
    type Error = Malformed;

    fn try_from(mut neighbour: Neighbour) -> Result<Self, Malformed> {
        let text = json(&neighbour)?;
        neighbour.statistics = NeighbourStatistics::default();
        let digest = digest(&json(&neighbour)?);
        let key = Key::Neighbour { link: neighbour.link, address: neighbour.address, is_proxy: neighbour.proxy };
        Ok(Self { key, text: text.into(), digest, is_multipath: false })
    }
}

impl TryFrom<Rule> for Object {
    type Error = Malformed;

    fn try_from(rule: Rule) -> Result<Self, Malformed> {
        let text = json(&rule)?;
        let key = Key::Rule { family: rule.family, priority: rule.priority.unwrap_or_default() };
        Ok(Self { key, digest: digest(&text), text: text.into(), is_multipath: false })
    }
}

/// The types of this crate can always be written as JSON.
fn json(object: &impl Serialize) -> Result<String, Malformed> {
    serde_json::to_string(object).map_err(|_| Malformed)
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
