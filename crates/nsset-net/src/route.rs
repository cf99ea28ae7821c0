//! Routes.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use netlink_packet_route::{
    RouteNetlinkMessage,
    route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteProtocol, RouteVia},
};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    attributes::{Attributes, Malformed, array_at, ip, u8_at, u16_at, u32_at},
    cidr::{self, Cidr, family},
    error::{Error, Result},
    link_ref::{self, LinkRef},
    network::Network,
    request::Request,
    scope::Scope,
};

/// Where packets to a destination go.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// `0.0.0.0/0` or `::/0` is the default route.
    #[serde(flatten, serialize_with = "cidr::as_destination")]
    pub destination: Cidr,
    #[serde(rename = "type")]
    pub kind: RouteKind,
    #[serde(rename = "via")]
    pub gateway: Option<IpAddr>,
    /// The index of the link that packets leave by.
    #[serde(serialize_with = "link_ref::optional_index")]
    pub dev: Option<u32>,
    /// The lower, the better.
    pub metric: Option<u32>,
    /// The routing table; 254 is `main`, 255 is `local`.
    pub table: u32,
    /// The address that packets leave with, where the program did not say.
    pub source: Option<IpAddr>,
    pub scope: Scope,
    /// Who made it: 2 is the kernel, 3 is a person, 4 an administrator (rtnetlink(7)).
    pub protocol: u8,
}

/// A route that is to be, or not to be any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteSpec {
    pub destination: Cidr,
    #[serde(default, rename = "type")]
    pub kind: RouteKind,
    #[serde(rename = "via")]
    pub gateway: Option<IpAddr>,
    pub dev: Option<LinkRef>,
    pub metric: Option<u32>,
    /// 254, `main`, unless told.
    pub table: Option<u32>,
    pub source: Option<IpAddr>,
    /// What follows from the kind and the gateway, unless told. IPv4 only.
    pub scope: Option<Scope>,
    /// Whether the gateway is taken to be on the link, whatever the addresses say.
    #[serde(default)]
    pub on_link: bool,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    #[default]
    Unicast,
    /// It is for us.
    Local,
    Broadcast,
    Anycast,
    Multicast,
    /// It is dropped.
    Blackhole,
    /// It is answered with "unreachable".
    Unreachable,
    /// It is answered with "prohibited".
    Prohibit,
    /// The next table is asked.
    Throw,
    #[serde(untagged)]
    Other(u8),
}

impl RouteSpec {
    /// A route to there, of which nothing else is said yet.
    pub const fn to(destination: Cidr) -> Self {
        Self {
            destination,
            kind: RouteKind::Unicast,
            gateway: None,
            dev: None,
            metric: None,
            table: None,
            source: None,
            scope: None,
            on_link: false,
        }
    }

    /// The default route by way of this gateway.
    pub fn by_default_via(gateway: IpAddr) -> Self {
        let anywhere = match gateway {
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        Self { gateway: Some(gateway), ..Self::to(Cidr { address: anywhere, prefix_length: 0 }) }
    }

    /// The route by this link.
    #[must_use]
    pub fn dev(mut self, link: LinkRef) -> Self {
        self.dev = Some(link);
        self
    }
}

/// The routes of a network.
#[derive(Clone, Copy, Debug)]
pub struct Routes<'a> {
    network: &'a Network,
}

impl<'a> Routes<'a> {
    pub(crate) const fn of(network: &'a Network) -> Self {
        Self { network }
    }

    /// Those of this table, or of all.
    pub async fn list(&self, table: Option<u32>) -> Result<Vec<Route>> {
        let request = Request::dump(RouteNetlinkMessage::GetRoute(RouteMessage::default()));
        let is_wanted = |route: &Route| table.is_none_or(|table| route.table == table);
        let read = |message: &[u8]| Route::read(message).map(|route| route.filter(is_wanted));
        let routes = self.network.conversation().dump(request, read).await;
        routes.map_err(|refusal| refusal.of("RTM_GETROUTE", ""))
    }

    /// Adds one that is not there yet.
    pub async fn add(&self, route: &RouteSpec) -> Result<()> {
        self.make(route, Request::create).await
    }

    /// Adds one, or puts it in the place of one to the same destination with the same metric.
    pub async fn replace(&self, route: &RouteSpec) -> Result<()> {
        self.make(route, Request::replace).await
    }

    /// Takes away the first route that is as this says.
    pub async fn delete(&self, route: &RouteSpec) -> Result<()> {
        // Of any scope, unless told: fib_table_delete() of net/ipv4/fib_trie.c.
        let message = self.message(route, route.scope.unwrap_or(Scope::Nowhere)).await?;
        let request = Request::act(RouteNetlinkMessage::DelRoute(message));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|refusal| refusal.of("RTM_DELROUTE", route))
    }

    async fn make(&self, route: &RouteSpec, request: fn(RouteNetlinkMessage) -> Request) -> Result<()> {
        let message = self.message(route, route.scope.unwrap_or_else(|| route.default_scope())).await?;
        let outcome = self.network.conversation().act(request(RouteNetlinkMessage::NewRoute(message))).await;
        outcome.map_err(|refusal| refusal.of("RTM_NEWROUTE", route))
    }

    async fn message(&self, route: &RouteSpec, scope: Scope) -> Result<RouteMessage> {
        route.check()?;
        let dev = match &route.dev {
            Some(dev) => Some(self.network.links().index(dev).await?),
            None => None,
        };
        Ok(route.message(scope, dev))
    }
}

const MAIN_TABLE: u32 = 254;

impl RouteSpec {
    fn check(&self) -> Result<()> {
        let destination = self.destination;
        if destination != destination.network() {
            let network = destination.network();
            return Err(Error::InvalidArgument(format!(
                "{destination} is not a network: bits behind the prefix are set; {network} is"
            )));
        }
        if destination.address.is_ipv6() && self.gateway.is_some_and(|gateway| gateway.is_ipv4()) {
            return Err(Error::InvalidArgument(format!("the route to {destination} cannot have an IPv4 gateway")));
        }
        if self.source.is_some_and(|source| source.is_ipv4() != destination.address.is_ipv4()) {
            return Err(Error::InvalidArgument(format!("the source of {destination} is of another family")));
        }
        Ok(())
    }

    /// As ip-route(8) has it.
    fn default_scope(&self) -> Scope {
        if self.destination.address.is_ipv6() {
            return Scope::Global;
        }
        match self.kind {
            RouteKind::Local => Scope::Host,
            RouteKind::Broadcast | RouteKind::Multicast | RouteKind::Anycast => Scope::Link,
            RouteKind::Unicast if self.gateway.is_none() => Scope::Link,
            _ => Scope::Global,
        }
    }

    fn message(&self, scope: Scope, dev: Option<u32>) -> RouteMessage {
        let Cidr { address, prefix_length } = self.destination;
        let table = self.table.unwrap_or(MAIN_TABLE);
        let mut message = RouteMessage::default();
        message.header.address_family = family(address);
        message.header.destination_prefix_length = prefix_length;
        message.header.protocol = RouteProtocol::Boot;
        message.header.scope = u8::from(scope).into();
        message.header.kind = u8::from(self.kind).into();
        message.header.table = u8::try_from(table).unwrap_or(0);
        if self.on_link {
            message.header.flags = RouteFlags::Onlink;
        }
        let attributes = [
            (prefix_length > 0).then(|| RouteAttribute::Destination(route_address(address))),
            self.gateway.map(|gateway| gateway_attribute(address, gateway)),
            self.source.map(|source| RouteAttribute::PrefSource(route_address(source))),
            dev.map(RouteAttribute::Oif),
            self.metric.map(RouteAttribute::Priority),
            Some(RouteAttribute::Table(table)),
        ];
        message.attributes.extend(attributes.into_iter().flatten());
        message
    }
}

const fn route_address(address: IpAddr) -> RouteAddress {
    match address {
        IpAddr::V4(address) => RouteAddress::Inet(address),
        IpAddr::V6(address) => RouteAddress::Inet6(address),
    }
}

/// A gateway of the other family is another attribute.
const fn gateway_attribute(destination: IpAddr, gateway: IpAddr) -> RouteAttribute {
    match (destination, gateway) {
        (IpAddr::V4(_), IpAddr::V6(gateway)) => RouteAttribute::Via(RouteVia::Inet6(gateway)),
        _ => RouteAttribute::Gateway(route_address(gateway)),
    }
}

impl fmt::Display for RouteSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.destination.prefix_length {
            0 => formatter.write_str("default")?,
            _ => write!(formatter, "{}", self.destination)?,
        }
        if let Some(gateway) = self.gateway {
            write!(formatter, " via {gateway}")?;
        }
        match &self.dev {
            Some(dev) => write!(formatter, " dev {dev}"),
            None => Ok(()),
        }
    }
}

impl From<u8> for RouteKind {
    fn from(number: u8) -> Self {
        match number {
            libc::RTN_UNICAST => Self::Unicast,
            libc::RTN_LOCAL => Self::Local,
            libc::RTN_BROADCAST => Self::Broadcast,
            libc::RTN_ANYCAST => Self::Anycast,
            libc::RTN_MULTICAST => Self::Multicast,
            libc::RTN_BLACKHOLE => Self::Blackhole,
            libc::RTN_UNREACHABLE => Self::Unreachable,
            libc::RTN_PROHIBIT => Self::Prohibit,
            libc::RTN_THROW => Self::Throw,
            other => Self::Other(other),
        }
    }
}

impl From<RouteKind> for u8 {
    fn from(kind: RouteKind) -> Self {
        match kind {
            RouteKind::Unicast => libc::RTN_UNICAST,
            RouteKind::Local => libc::RTN_LOCAL,
            RouteKind::Broadcast => libc::RTN_BROADCAST,
            RouteKind::Anycast => libc::RTN_ANYCAST,
            RouteKind::Multicast => libc::RTN_MULTICAST,
            RouteKind::Blackhole => libc::RTN_BLACKHOLE,
            RouteKind::Unreachable => libc::RTN_UNREACHABLE,
            RouteKind::Prohibit => libc::RTN_PROHIBIT,
            RouteKind::Throw => libc::RTN_THROW,
            RouteKind::Other(other) => other,
        }
    }
}

/// `struct rtmsg` of rtnetlink(7).
const HEADER: usize = 12;

/// `RTM_F_CLONED`: no route, but what the kernel remembers of one.
const CLONED: u32 = 0x200;

/// `RTA_VIA` of linux/rtnetlink.h: a family, and an address of it.
const RTA_VIA: u16 = 18;

impl Route {
    /// Reads the body of an `RTM_NEWROUTE`; `None` is for what is no route of IP.
    pub(crate) fn read(message: &[u8]) -> std::result::Result<Option<Self>, Malformed> {
        let anywhere = match i32::from(u8_at(message, 0)?) {
            libc::AF_INET => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            libc::AF_INET6 => IpAddr::from(Ipv6Addr::UNSPECIFIED),
            _ => return Ok(None),
        };
        if u32_at(message, 8)? & CLONED != 0 {
            return Ok(None);
        }
        let mut route = Self {
            destination: Cidr::new(anywhere, u8_at(message, 1)?).map_err(|_| Malformed)?,
            kind: u8_at(message, 7)?.into(),
            gateway: None,
            dev: None,
            metric: None,
            table: u8_at(message, 4)?.into(),
            source: None,
            scope: u8_at(message, 6)?.into(),
            protocol: u8_at(message, 5)?,
        };
        for attribute in Attributes::behind(HEADER, message)? {
            let (kind, value) = attribute?;
            match kind {
                libc::RTA_DST => route.destination.address = ip_of(anywhere, value)?,
                libc::RTA_GATEWAY => route.gateway = Some(ip_of(anywhere, value)?),
                RTA_VIA => route.gateway = Some(via(value)?),
                libc::RTA_OIF => route.dev = Some(u32_at(value, 0)?),
                libc::RTA_PRIORITY => route.metric = Some(u32_at(value, 0)?),
                libc::RTA_TABLE => route.table = u32_at(value, 0)?,
                libc::RTA_PREFSRC => route.source = Some(ip_of(anywhere, value)?),
                _ => {}
            }
        }
        Ok(Some(route))
    }
}

/// An address of the same family.
fn ip_of(family: IpAddr, value: &[u8]) -> std::result::Result<IpAddr, Malformed> {
    ip(value).and_then(|address| if address.is_ipv4() == family.is_ipv4() { Ok(address) } else { Err(Malformed) })
}

fn via(value: &[u8]) -> std::result::Result<IpAddr, Malformed> {
    match i32::from(u16_at(value, 0)?) {
        libc::AF_INET => array_at::<4>(value, 2).map(IpAddr::from),
        libc::AF_INET6 => array_at::<16>(value, 2).map(IpAddr::from),
        _ => Err(Malformed),
    }
}
