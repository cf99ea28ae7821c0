//! A route, as the kernel describes it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use ipnet::IpNet;
use serde::Serialize;
use serde_with::{serde_as, skip_serializing_none};

use super::{
    ON_LINK, RTA_NH_ID, RTA_PREF, RTA_VIA,
    encap::{Encap, Parts},
    gateway::{ip_of, via},
    kind::RouteKind,
    metrics::Metrics,
    next_hop::NextHop,
    preference::Preference,
};
use crate::{
    cidr, link_ref,
    milliseconds::Milliseconds,
    netlink::attributes::{Attributes, Malformed, u8_at, u32_at},
    scope::Scope,
};

/// A route.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// `0.0.0.0/0` or `::/0` is the default route.
    #[serde(flatten, serialize_with = "cidr::as_destination")]
    pub destination: IpNet,
    #[serde(rename = "type")]
    pub kind: RouteKind,
    /// IPv6: the route is only for packets from this network.
    pub from: Option<IpNet>,
    /// IPv4: the route is only for packets with this type of service.
    pub tos: Option<u8>,
    #[serde(rename = "via")]
    pub gateway: Option<IpAddr>,
    /// The index of the link through which packets leave.
    #[serde(serialize_with = "link_ref::optional_index")]
    pub dev: Option<u32>,
    /// Whether the gateway counts as reachable through the link, even if no address of the link has its network.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub on_link: bool,
    /// The next hops of a multipath route, instead of a gateway and a link.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next_hops: Vec<NextHop>,
    /// The id of the next hop or the group (`ip nexthop`) that the route uses.
    pub next_hop_id: Option<u32>,
    /// The route with the lowest metric is used.
    pub metric: Option<u32>,
    /// The routing table; 254 is `main`, 255 is `local`.
    pub table: u32,
    /// The source address of packets, if the program has not chosen one.
    pub source: Option<IpAddr>,
    pub scope: Scope,
    /// The origin: 2 is the kernel, 3 is `boot` (the default of ip-route(8)), 4 is `static` (rtnetlink(7)).
    pub protocol: u8,
    pub metrics: Option<Metrics>,
    /// IPv4: the realms for accounting.
    pub realm: Option<u32>,
    /// IPv6: `None` means medium.
    pub preference: Option<Preference>,
    /// IPv6: the time until the route expires, if it does.
    #[serde_as(as = "Option<Milliseconds>")]
    pub expires: Option<Duration>,
    /// The encapsulation of packets.
    pub encap: Option<Encap>,
}

/// `struct rtmsg` of rtnetlink(7).
const HEADER: usize = 12;

/// `RTM_F_CLONED`: an entry of the kernel's route cache.
const CLONED: u32 = 0x200;

/// The offset of the remaining time in `struct rta_cacheinfo`, in hundredths of a second (`USER_HZ`).
const CACHE_EXPIRES: usize = 8;

impl Route {
    /// Whether packets may leave through this link.
    pub(crate) fn goes_by(&self, link: u32) -> bool {
        self.dev == Some(link) || self.next_hops.iter().any(|hop| hop.dev == Some(link))
    }

    /// Whether both are equal, apart from the remaining time.
    pub(crate) fn equals_except_expiry(&self, other: &Self) -> bool {
        *self == Self { expires: self.expires, ..other.clone() }
    }

    /// Reads the body of an `RTM_NEWROUTE`. `None` if it is not a route of IPv4 or IPv6, or an entry of the cache.
    pub(crate) fn read(message: &[u8]) -> Result<Option<Self>, Malformed> {
        if u32_at(message, 8)? & CLONED != 0 {
            return Ok(None);
        }
        Self::read_way(message)
    }

    /// Reads the body of an `RTM_NEWROUTE`, also one about a single packet. `None` if it is not a route of IPv4 or IPv6.
    pub(super) fn read_way(message: &[u8]) -> Result<Option<Self>, Malformed> {
        let anywhere = match i32::from(u8_at(message, 0)?) {
            libc::AF_INET => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            libc::AF_INET6 => IpAddr::from(Ipv6Addr::UNSPECIFIED),
            _ => return Ok(None),
        };
        let flags = u32_at(message, 8)?;
        let mut route = Self {
            destination: net(anywhere, u8_at(message, 1)?)?,
            kind: u8_at(message, 7)?.into(),
            from: None,
            tos: Some(u8_at(message, 3)?).filter(|tos| *tos != 0),
            gateway: None,
            dev: None,
            on_link: flags & ON_LINK != 0,
            next_hops: Vec::new(),
            next_hop_id: None,
            metric: None,
            table: u8_at(message, 4)?.into(),
            source: None,
            scope: u8_at(message, 6)?.into(),
            protocol: u8_at(message, 5)?,
            metrics: None,
            realm: None,
            preference: None,
            expires: None,
            encap: None,
        };
        let from_length = u8_at(message, 2)?;
        let mut encap = Parts::default();
        for attribute in Attributes::behind(HEADER, message)? {
            let (kind, value) = attribute?;
            match kind {
                libc::RTA_DST => route.destination = net(ip_of(anywhere, value)?, route.destination.prefix_len())?,
                libc::RTA_SRC => route.from = Some(net(ip_of(anywhere, value)?, from_length)?),
                libc::RTA_GATEWAY => route.gateway = Some(ip_of(anywhere, value)?),
                RTA_VIA => route.gateway = Some(via(value)?),
                libc::RTA_OIF => route.dev = Some(u32_at(value, 0)?),
                libc::RTA_MULTIPATH => route.next_hops = NextHop::read_all(value, anywhere)?,
                RTA_NH_ID => route.next_hop_id = Some(u32_at(value, 0)?),
                libc::RTA_PRIORITY => route.metric = Some(u32_at(value, 0)?),
                libc::RTA_TABLE => route.table = u32_at(value, 0)?,
                libc::RTA_PREFSRC => route.source = Some(ip_of(anywhere, value)?),
                libc::RTA_METRICS => route.metrics = Some(Metrics::read(value)?).filter(|metrics| !metrics.is_empty()),
                libc::RTA_FLOW => route.realm = Some(u32_at(value, 0)?),
                RTA_PREF => route.preference = Preference::read(u8_at(value, 0)?),
                libc::RTA_CACHEINFO => route.expires = expires(value)?,
                kind => encap.take(kind, value)?,
            }
        }
        route.encap = encap.whole();
        Ok(Some(route))
    }
}

fn expires(cache_info: &[u8]) -> Result<Option<Duration>, Malformed> {
    let hundredths = u32_at(cache_info, CACHE_EXPIRES)? as i32;
    Ok(u64::try_from(hundredths).ok().filter(|left| *left > 0).map(|left| Duration::from_millis(10 * left)))
}

fn net(address: IpAddr, prefix_length: u8) -> Result<IpNet, Malformed> {
    IpNet::new(address, prefix_length).map_err(|_| Malformed)
}
