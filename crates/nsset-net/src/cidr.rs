//! Converts IP addresses and networks to and from messages and plain data.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use serde::{Serializer, ser::SerializeMap};

pub(crate) const fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

/// Serializes an address as a whole, and in the parts that callers mostly need.
pub(crate) fn in_parts<S: Serializer>(cidr: &IpNet, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(3))?;
    map.serialize_entry("cidr", cidr)?;
    map.serialize_entry("address", &cidr.addr())?;
    map.serialize_entry("family", family_name(cidr.addr()))?;
    map.end()
}

/// Serializes the destination of a route. The prefix with length 0 is that of the default route.
pub(crate) fn as_destination<S: Serializer>(cidr: &IpNet, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    if cidr.prefix_len() == 0 {
        map.serialize_entry("destination", "default")?;
    } else {
        map.serialize_entry("destination", cidr)?;
    }
    map.serialize_entry("family", family_name(cidr.addr()))?;
    map.end()
}

/// The name of an address family in Node.js.
const fn family_name(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    }
}
