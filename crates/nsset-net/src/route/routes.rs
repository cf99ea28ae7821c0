//! The operations on routes.

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    route::{RouteAttribute, RouteMessage},
};
use nix::errno::Errno;

use super::{
    dump_merge::DumpMerge,
    route::Route,
    spec::{Devices, MAIN_TABLE, RouteSpec},
};
use crate::{
    error::{NetlinkError, Result},
    link_ref::LinkRef,
    netlink::conversation::ATTEMPTS,
    netlink::request::Request,
    netlink::socket::Group,
    network::Network,
};

/// The routes of a network.
#[derive(Clone, Copy, Debug)]
pub struct Routes<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn routes(&self) -> Routes<'_> {
        Routes { network: self }
    }
}

impl Routes<'_> {
    /// Lists the routes of a table, or of all tables. Fails with `EAGAIN` if they keep changing while they are listed.
    pub async fn list(&self, table: Option<u32>) -> Result<Vec<Route>> {
        let routes = self.dump(RouteMessage::default()).await;
        let mut routes = routes.map_err(|error| error.of("RTM_GETROUTE", ""))?;
        if let Some(table) = table {
            routes.retain(|route| route.table == table);
        }
        Ok(routes)
    }

    /// Lists the routes through a link, of all tables.
    pub(crate) async fn by(&self, link: u32) -> Result<Vec<Route>> {
        let mut message = RouteMessage::default();
        message.attributes.push(RouteAttribute::Oif(link));
        let routes = self.dump(message).await;
        let mut routes = routes.map_err(|error| error.of("RTM_GETROUTE", ""))?;
        routes.retain(|route| route.goes_by(link));
        Ok(routes)
    }

    /// Lists routes. The kernel does not report that IPv6 routes changed during a dump. If they did, routes may be missing
    /// between two datagrams. This merges several dumps until nothing is missing.
    ///
    /// The message does not come from `RouteMessageBuilder`, which sets a table, a protocol and a type: the kernel uses these as
    /// filters.
    async fn dump(&self, message: RouteMessage) -> std::result::Result<Vec<Route>, NetlinkError> {
        let mut of_ipv6 = message.clone();
        of_ipv6.header.address_family = AddressFamily::Inet6;
        let mut requests = [message, of_ipv6].map(|message| Request::dump(RouteNetlinkMessage::GetRoute(message)));
        let mut merge = DumpMerge::default();
        let mut ipv4: Option<Vec<Route>> = None;
        let conversation = self.network.conversation();
        // Every other dump has only IPv6. Without IPv4 routes before them, its IPv6 datagrams end at other routes.
        for turn in (0..2).cycle().take(ATTEMPTS as usize) {
            let is_whole = turn == 0 || ipv4.is_none();
            let [whole, of_ipv6] = &mut requests;
            let request = if is_whole { whole } else { of_ipv6 };
            let mut dump = conversation.dump_watching(request, &Route::read, &[Group::Ipv6Route]).await?;
            if dump.is_interrupted {
                continue;
            }
            let mut others = Vec::new();
            for part in &mut dump.parts {
                others.extend(part.things.extract_if(.., |route| route.destination.addr().is_ipv4()));
            }
            if is_whole {
                ipv4 = Some(others);
            }
            dump.parts.retain(|part| !part.things.is_empty());
            let is_sure = !dump.has_changed || dump.parts.len() <= 1;
            let ipv6 = if is_sure { Some(dump.into_all()) } else { merge.add(dump.parts) };
            if let (Some(ipv6), Some(ipv4)) = (ipv6, &mut ipv4) {
                ipv4.extend(ipv6);
                return Ok(std::mem::take(ipv4));
            }
        }
        Err(Errno::EAGAIN.into())
    }

    /// Adds a route. It must not exist yet.
    pub async fn add(&self, route: &RouteSpec) -> Result<()> {
        self.make(route, Request::create).await
    }

    /// Adds a route, or replaces the one with the same destination and metric.
    pub async fn replace(&self, route: &RouteSpec) -> Result<()> {
        self.make(route, Request::replace).await
    }

    /// Deletes the first route that matches. A field that is left out matches any value, except the table, which has its default.
    pub async fn delete(&self, route: &RouteSpec) -> Result<()> {
        let devices = self.devices(route).await?;
        let message = match self.first_match(route, &devices).await? {
            Some(found) => found.deletion(&devices_of(&found))?,
            None => route.deletion(&devices)?,
        };
        let outcome = self.network.conversation().act(Request::act(RouteNetlinkMessage::DelRoute(message))).await;
        outcome.map_err(|error| error.of("RTM_DELROUTE", route))
    }

    /// Returns the first route that matches, if the kernel would not compare all given fields: for an IPv6 route it compares only
    /// the metric, the protocol, the gateway and the link (ip6_route_del() of net/ipv6/route.c). Two routes to the same
    /// destination differ in one of these, so this returns `None` if all of them are given.
    async fn first_match(&self, route: &RouteSpec, devices: &Devices) -> Result<Option<RouteSpec>> {
        let is_known = route.metric.is_some() && (devices.dev.is_some() || !devices.of_hops.is_empty());
        let says_more =
            route.kind.is_some() || route.source.is_some() || route.metrics.is_some() || route.preference.is_some();
        if route.destination.addr().is_ipv4() || is_known || !says_more || route.next_hop_id.is_some() {
            return Ok(None);
        }
        let found = self.list(Some(route.table.unwrap_or(MAIN_TABLE))).await?;
        let found = found.iter().find(|found| route.matches(found, devices));
        found
            .map(|found| Some(RouteSpec::from(found)))
            .ok_or_else(|| NetlinkError::from(Errno::ESRCH).of("RTM_DELROUTE", route))
    }

    async fn make(&self, route: &RouteSpec, request: fn(RouteNetlinkMessage) -> Request) -> Result<()> {
        let devices = self.devices(route).await?;
        let request = request(RouteNetlinkMessage::NewRoute(route.addition(&devices)?));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| error.of("RTM_NEWROUTE", route))
    }

    async fn devices(&self, route: &RouteSpec) -> Result<Devices> {
        route.check()?;
        let mut of_hops = Vec::with_capacity(route.next_hops.len());
        for hop in &route.next_hops {
            of_hops.push(self.index(hop.dev.as_ref()).await?);
        }
        Ok(Devices { dev: self.index(route.dev.as_ref()).await?, of_hops })
    }

    async fn index(&self, link: Option<&LinkRef>) -> Result<Option<u32>> {
        match link {
            Some(link) => self.network.links().index(link).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Returns the links of a route that has their indexes.
fn devices_of(route: &RouteSpec) -> Devices {
    let index = |link: &Option<LinkRef>| match link {
        Some(LinkRef::Index(index)) => Some(*index),
        _ => None,
    };
    Devices { dev: index(&route.dev), of_hops: route.next_hops.iter().map(|hop| index(&hop.dev)).collect() }
}
