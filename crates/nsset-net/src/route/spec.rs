//! The specification of a route to add or to delete.

use std::{fmt, net::IpAddr, time::Duration};

use ipnet::IpNet;
use netlink_packet_route::route::{RouteAttribute, RouteMessage};
use rtnetlink::RouteMessageBuilder;
use serde::Deserialize;
use serde_with::serde_as;

use super::{
    encap::Encap, gateway::mixed_families, kind::RouteKind, metrics::Metrics, next_hop::NextHopSpec,
    preference::Preference, realm::realm, route::Route,
};
use crate::{
    error::{Error, Result},
    link_ref::LinkRef,
    milliseconds::Milliseconds,
    scope::Scope,
};

/// The specification of a route to add or to delete. It can be read from the data of a [`Route`], and then matches exactly that
/// route.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteSpec {
    pub destination: IpNet,
    /// Default: unicast.
    #[serde(rename = "type")]
    pub kind: Option<RouteKind>,
    /// IPv6: the route is only for packets from this network.
    pub from: Option<IpNet>,
    /// IPv4: the route is only for packets with this type of service.
    pub tos: Option<u8>,
    #[serde(rename = "via")]
    pub gateway: Option<IpAddr>,
    pub dev: Option<LinkRef>,
    /// Whether the gateway counts as reachable through the link, even if no address of the link has its network.
    #[serde(default)]
    pub on_link: bool,
    /// The next hops of a multipath route, instead of a gateway and a link.
    #[serde(default)]
    pub next_hops: Vec<NextHopSpec>,
    /// The id of a next hop or a group (`ip nexthop`), which then has the gateway and the link.
    pub next_hop_id: Option<u32>,
    pub metric: Option<u32>,
    /// Default: 254, `main`.
    pub table: Option<u32>,
    pub source: Option<IpAddr>,
    /// IPv4. The default depends on the kind and the gateway.
    pub scope: Option<Scope>,
    /// Default: 3, `boot`.
    pub protocol: Option<u8>,
    pub metrics: Option<Metrics>,
    pub realm: Option<u32>,
    pub preference: Option<Preference>,
    /// IPv6: the time until the route expires, in whole seconds.
    #[serde_as(as = "Option<Milliseconds>")]
    pub expires: Option<Duration>,
    pub encap: Option<Encap>,
}

impl From<&Route> for RouteSpec {
    fn from(route: &Route) -> Self {
        Self {
            destination: route.destination,
            kind: Some(route.kind),
            from: route.from,
            tos: route.tos,
            gateway: route.gateway,
            dev: route.dev.map(LinkRef::Index),
            on_link: route.on_link,
            next_hops: route.next_hops.iter().map(NextHopSpec::from).collect(),
            next_hop_id: route.next_hop_id,
            metric: route.metric,
            table: Some(route.table),
            source: route.source,
            scope: Some(route.scope),
            protocol: Some(route.protocol),
            metrics: route.metrics.clone(),
            realm: route.realm,
            preference: route.preference,
            expires: route.expires,
            encap: route.encap.clone(),
        }
    }
}

pub(super) const MAIN_TABLE: u32 = 254;

/// `RTPROT_BOOT`, also the default of ip-route(8).
const BY_A_PERSON: u8 = 3;

/// The indexes of the links of a route.
#[derive(Clone, Debug, Default)]
pub(super) struct Devices {
    pub dev: Option<u32>,
    /// The link of each next hop.
    pub of_hops: Vec<Option<u32>>,
}

impl RouteSpec {
    pub(super) fn check(&self) -> Result<()> {
        let invalid = |text: String| Err(Error::InvalidArgument(text));
        let destination = self.destination;
        for cidr in [Some(destination), self.from].into_iter().flatten() {
            let network = cidr.trunc();
            if cidr != network {
                return invalid(format!("{cidr} is not a network: bits behind the prefix are set; {network} is"));
            }
        }
        let is_ipv4 = destination.addr().is_ipv4();
        let mut gateways = self.next_hops.iter().map(|hop| hop.gateway).chain([self.gateway]).flatten();
        if !is_ipv4 && gateways.any(|gateway| gateway.is_ipv4()) {
            return invalid(format!("the route to {destination} cannot have an IPv4 gateway"));
        }
        let others = [self.source, self.from.map(|from| from.addr())];
        if others.into_iter().flatten().any(|other| other.is_ipv4() != is_ipv4) {
            return invalid(format!("the source of {destination} is of another family"));
        }
        if !self.next_hops.is_empty() && (self.gateway.is_some() || self.dev.is_some()) {
            return invalid(format!("the route to {destination} has 'nextHops': give its gateways and links there"));
        }
        Ok(())
    }

    /// Returns whether a route has all values that this specification gives.
    pub(super) fn matches(&self, route: &Route, devices: &Devices) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        self.destination == route.destination
            && self.from == route.from
            && is(self.kind.as_ref(), Some(&route.kind))
            && is(self.gateway.as_ref(), route.gateway.as_ref())
            && is(devices.dev.as_ref(), route.dev.as_ref())
            && is(self.metric.as_ref(), route.metric.as_ref())
            && is(self.source.as_ref(), route.source.as_ref())
            && is(self.protocol.as_ref(), Some(&route.protocol))
            && is(self.metrics.as_ref(), route.metrics.as_ref())
            && (self.preference.is_none_or(|wanted| wanted == route.preference.unwrap_or(Preference::Medium)))
            && (self.next_hops.is_empty()
                || self.next_hops.iter().map(|hop| hop.gateway).eq(route.next_hops.iter().map(|hop| hop.gateway)))
    }

    /// Returns the same default as ip-route(8).
    fn default_scope(&self) -> Scope {
        if self.destination.addr().is_ipv6() {
            return Scope::Global;
        }
        let has_gateway = self.gateway.is_some() || self.next_hops.iter().any(|hop| hop.gateway.is_some());
        match self.kind.unwrap_or_default() {
            RouteKind::Local => Scope::Host,
            RouteKind::Broadcast | RouteKind::Multicast | RouteKind::Anycast => Scope::Link,
            RouteKind::Unicast if !has_gateway && self.next_hop_id.is_none() => Scope::Link,
            _ => Scope::Global,
        }
    }

    /// Returns the message that adds the route.
    pub(super) fn addition(&self, devices: &Devices) -> Result<RouteMessage> {
        let kind = self.kind.unwrap_or_default();
        let scope = self.scope.unwrap_or_else(|| self.default_scope());
        self.message(devices, u8::from(kind), u8::from(scope), self.protocol.unwrap_or(BY_A_PERSON))
    }

    /// Returns the message that deletes the route. The kernel does not compare fields that the message leaves out:
    /// inet_rtm_delroute() of net/ipv4/fib_frontend.c and fib_table_delete() of net/ipv4/fib_trie.c.
    pub(super) fn deletion(&self, devices: &Devices) -> Result<RouteMessage> {
        let kind = self.kind.map_or(0, u8::from);
        self.message(devices, kind, u8::from(self.scope.unwrap_or(Scope::Nowhere)), self.protocol.unwrap_or(0))
    }

    fn message(&self, devices: &Devices, kind: u8, scope: u8, protocol: u8) -> Result<RouteMessage> {
        let mut route = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(self.destination.addr(), self.destination.prefix_len())
            .map_err(mixed_families)?
            .table_id(self.table.unwrap_or(MAIN_TABLE))
            .protocol(protocol.into())
            .scope(scope.into())
            .kind(kind.into())
            .tos(self.tos.unwrap_or(0));
        if let Some(from) = self.from {
            route = route.source_prefix(from.addr(), from.prefix_len()).map_err(mixed_families)?;
        }
        if let Some(source) = self.source {
            route = route.pref_source(source).map_err(mixed_families)?;
        }
        if let Some(metric) = self.metric {
            route = route.priority(metric);
        }
        if let Some(number) = self.realm {
            route = route.realm(realm(number));
        }
        if let Some(left) = self.expires {
            let seconds = left.as_millis().div_ceil(1000);
            route = route.expires(u32::try_from(seconds).unwrap_or(u32::MAX));
        }
        route = match self.next_hop_id {
            Some(id) => route.nhid(id),
            None => self.way(devices, route)?,
        };
        let mut message = route.build();
        let metrics = self.metrics.as_ref().map(|metrics| RouteAttribute::Metrics(metrics.attributes()));
        let preference = self.preference.map(|preference| RouteAttribute::Preference(preference.into()));
        message.attributes.extend([metrics, preference].into_iter().flatten());
        Ok(message)
    }

    /// Adds the gateways and links.
    fn way(&self, devices: &Devices, mut route: RouteMessageBuilder) -> Result<RouteMessageBuilder> {
        if self.on_link {
            route = route.onlink();
        }
        if let Some(gateway) = self.gateway {
            route = route.gateway(gateway).map_err(mixed_families)?;
        }
        if let Some(index) = devices.dev {
            route = route.output_interface(index);
        }
        if !self.next_hops.is_empty() {
            let hops = self.next_hops.iter().zip(&devices.of_hops);
            let hops = hops.map(|(hop, dev)| hop.build(self.destination.addr(), *dev));
            route = route.multipath(hops.collect::<Result<_>>()?);
        }
        route.get_mut().attributes.extend(self.encap.iter().flat_map(Encap::attributes));
        Ok(route)
    }
}

impl fmt::Display for RouteSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.destination.prefix_len() {
            0 => formatter.write_str("default")?,
            _ => write!(formatter, "{}", self.destination)?,
        }
        let hops = self.next_hops.iter().map(|hop| (hop.gateway, &hop.dev));
        for (gateway, dev) in [(self.gateway, &self.dev)].into_iter().chain(hops) {
            if let Some(gateway) = gateway {
                write!(formatter, " via {gateway}")?;
            }
            if let Some(dev) = dev {
                write!(formatter, " dev {dev}")?;
            }
        }
        Ok(())
    }
}
