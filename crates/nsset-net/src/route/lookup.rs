//! Asks the kernel which route it takes to an address: `ip route get` of ip-route(8).

use std::net::IpAddr;

use serde::Deserialize;

use super::route::Route;
use crate::{
    error::{NetlinkError, Result},
    family::{Family, octets},
    link_ref::LinkRef,
    netlink::attributes::Malformed,
    netlink::message::Message,
    netlink::request::Request,
    network::Network,
};

/// The packet for which a route is looked up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteLookup {
    pub address: IpAddr,
    pub from: Option<IpAddr>,
    pub tos: Option<u8>,
    /// The link through which the packet arrives.
    pub iif: Option<LinkRef>,
    /// The link to which the socket is bound.
    pub oif: Option<LinkRef>,
    pub fwmark: Option<u32>,
    pub uid: Option<u32>,
    pub ip_proto: Option<u8>,
    pub sport: Option<u16>,
    pub dport: Option<u16>,
    /// Whether the result is the route of the table, and not the way of this packet.
    #[serde(default)]
    pub fib_match: bool,
}

// `RTA_*` of linux/rtnetlink.h that libc does not have.
const RTA_MARK: u16 = 16;
const RTA_UID: u16 = 25;
const RTA_IP_PROTO: u16 = 27;
const RTA_SPORT: u16 = 28;
const RTA_DPORT: u16 = 29;

/// `RTM_F_LOOKUP_TABLE`: the answer says which table had the route.
const LOOKUP_TABLE: u32 = 0x1000;
/// `RTM_F_FIB_MATCH`.
const FIB_MATCH: u32 = 0x2000;

impl RouteLookup {
    fn message(&self, iif: Option<u32>, oif: Option<u32>) -> Message {
        let bits = |address: Option<IpAddr>| address.map_or(0, |address| if address.is_ipv4() { 32 } else { 128 });
        let family = Family::of(self.address).number();
        let mut header = vec![family, bits(Some(self.address)), bits(self.from), self.tos.unwrap_or(0), 0, 0, 0, 0];
        // For IPv6 the answer always has the table, and the kernel refuses the flag.
        let table = if self.address.is_ipv4() { LOOKUP_TABLE } else { 0 };
        header.extend((table | if self.fib_match { FIB_MATCH } else { 0 }).to_ne_bytes());
        let mut message = Message::new(libc::RTM_GETROUTE, header);
        let attributes = &mut message.attributes;
        attributes.put(libc::RTA_DST, &octets(self.address));
        if let Some(from) = self.from {
            attributes.put(libc::RTA_SRC, &octets(from));
        }
        let numbers = [(libc::RTA_IIF, iif), (libc::RTA_OIF, oif), (RTA_MARK, self.fwmark), (RTA_UID, self.uid)];
        for (kind, number) in numbers {
            if let Some(number) = number {
                attributes.put_u32(kind, number);
            }
        }
        if let Some(protocol) = self.ip_proto {
            attributes.put_u8(RTA_IP_PROTO, protocol);
        }
        for (kind, port) in [(RTA_SPORT, self.sport), (RTA_DPORT, self.dport)] {
            if let Some(port) = port {
                attributes.put_u16(kind, port.to_be());
            }
        }
        message
    }
}

impl Network {
    /// Returns the route that the kernel takes.
    pub async fn look_up_route(&self, lookup: &RouteLookup) -> Result<Route> {
        let index = async |link: &Option<LinkRef>| match link {
            Some(link) => self.links().index(link).await.map(Some),
            None => Ok(None),
        };
        let (iif, oif) = (index(&lookup.iif).await?, index(&lookup.oif).await?);
        let request = Request::act(lookup.message(iif, oif));
        let found = self.conversation().get(request, Route::read_way).await;
        let route = found.and_then(|route| route.ok_or_else(|| NetlinkError::from(Malformed)));
        route.map_err(|error| error.of("RTM_GETROUTE", lookup.address))
    }
}
