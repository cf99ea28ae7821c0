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
    netlink::conversation::{ATTEMPTS, Dump, Part},
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
        self.collect(&RouteMessage::default(), |route| table.is_none_or(|table| route.table == table)).await
    }

    /// Passes on each route of a table, or of all tables, most of them as they arrive, which takes less memory than a list. Returns
    /// whether these are all routes: if not, because routes changed meanwhile, the caller has to forget these and to
    /// [`list`](Self::list) them.
    pub async fn each(&self, table: Option<u32>, mut on_route: impl FnMut(Route) + Send) -> Result<bool> {
        let mut on_route = |route: Route| {
            if table.is_none_or(|table| route.table == table) {
                on_route(route);
            }
        };
        let is_whole = self.dump(&RouteMessage::default(), &mut on_route).await;
        is_whole.map_err(|error| error.of("RTM_GETROUTE", ""))
    }

    /// Lists the routes through a link, of all tables.
    pub(crate) async fn by(&self, link: u32) -> Result<Vec<Route>> {
        let mut message = RouteMessage::default();
        message.attributes.push(RouteAttribute::Oif(link));
        self.collect(&message, |route| route.goes_by(link)).await
    }

    async fn collect(&self, message: &RouteMessage, is_wanted: impl Fn(&Route) -> bool + Sync) -> Result<Vec<Route>> {
        for _ in 0..ATTEMPTS {
            let mut routes = Vec::new();
            let mut on_route = |route: Route| routes.extend(is_wanted(&route).then_some(route));
            let is_whole = self.dump(message, &mut on_route).await;
            if is_whole.map_err(|error| error.of("RTM_GETROUTE", ""))? || self.network.is_tolerant() {
                return Ok(routes);
            }
        }
        Err(NetlinkError::from(Errno::EAGAIN).of("RTM_GETROUTE", ""))
    }

    /// Passes on all routes: those of IPv4 as they arrive, and then those of IPv6. Returns false if the dump was interrupted: the
    /// routes so far are then not all.
    ///
    /// The message does not come from `RouteMessageBuilder`, which sets a table, a protocol and a type: the kernel uses these as
    /// filters.
    async fn dump(
        &self,
        message: &RouteMessage,
        on_route: &mut (impl FnMut(Route) + Send),
    ) -> std::result::Result<bool, NetlinkError> {
        let Some(dump) = self.dump_once(message, on_route).await? else { return Ok(false) };
        let is_sure = self.network.is_tolerant() || !dump.has_changed || dump.parts.len() <= 1;
        let of_ipv6 = if is_sure { dump.into_all() } else { self.merge(message, dump.parts).await? };
        of_ipv6.into_iter().for_each(on_route);
        Ok(true)
    }

    /// Merges dumps of IPv6 routes until no route is missing. The kernel does not report that IPv6 routes changed during a dump. If
    /// they did, routes may be missing between two datagrams.
    async fn merge(
        &self,
        message: &RouteMessage,
        parts: Vec<Part<Route>>,
    ) -> std::result::Result<Vec<Route>, NetlinkError> {
        let mut merge = DumpMerge::default();
        if let Some(routes) = merge.add(parts) {
            return Ok(routes);
        }
        let mut of_ipv6 = message.clone();
        of_ipv6.header.address_family = AddressFamily::Inet6;
        // Every other dump has only IPv6. Without IPv4 routes before them, its IPv6 datagrams end at other routes.
        for message in [&of_ipv6, message].into_iter().cycle().take(ATTEMPTS as usize) {
            let Some(dump) = self.dump_once(message, &mut |_| {}).await? else { continue };
            let is_sure = !dump.has_changed || dump.parts.len() <= 1;
            if let Some(routes) = if is_sure { Some(dump.into_all()) } else { merge.add(dump.parts) } {
                return Ok(routes);
            }
        }
        Err(Errno::EAGAIN.into())
    }

    /// Passes on the IPv4 routes of one dump as they arrive, and returns those of IPv6. `None` if the dump was interrupted.
    async fn dump_once(
        &self,
        message: &RouteMessage,
        on_ipv4: &mut (impl FnMut(Route) + Send),
    ) -> std::result::Result<Option<Dump<Route>>, NetlinkError> {
        let mut request = Request::dump(RouteNetlinkMessage::GetRoute(message.clone()));
        let mut parts: Vec<Part<Route>> = Vec::new();
        let mut latest = 0;
        let mut on_message = |number, message: &[u8]| {
            let Some(route) = Route::read(message)? else { return Ok(()) };
            if route.destination.addr().is_ipv4() {
                on_ipv4(route);
                return Ok(());
            }
            if number != latest {
                latest = number;
                parts.push(Part { things: Vec::new(), length: 0 });
            }
            if let Some(part) = parts.last_mut() {
                part.length += message.len();
                part.things.push(route);
            }
            Ok(())
        };
        let conversation = self.network.conversation();
        let outcome = conversation.dump_messages(&mut request, &mut on_message, &[Group::Ipv6Route]).await?;
        let uninterrupted = outcome.filter(|(end, _)| !end.is_interrupted || self.network.is_tolerant());
        Ok(uninterrupted.map(|(_, has_changed)| Dump { parts, is_interrupted: false, has_changed }))
    }

    /// Adds a route. It must not exist yet.
    pub async fn add(&self, route: &RouteSpec) -> Result<()> {
        self.make(route, Request::create).await
    }

    /// Adds a route, or replaces the one with the same destination and metric.
    pub async fn replace(&self, route: &RouteSpec) -> Result<()> {
        self.make(route, Request::replace).await
    }

    /// Adds a route behind those to the same destination with the same metric. One of IPv6 becomes a next hop of these.
    pub async fn append(&self, route: &RouteSpec) -> Result<()> {
        self.make(route, Request::append).await
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
