//! How IP addresses and networks appear in messages and in plain data.

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

/// An address in plain data: as a whole, and what is mostly asked of it.
pub(crate) fn in_parts<S: Serializer>(cidr: &IpNet, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(3))?;
    map.serialize_entry("cidr", cidr)?;
    map.serialize_entry("address", &cidr.addr())?;
    map.serialize_entry("family", family_name(cidr.addr()))?;
    map.end()
}

/// A destination in plain data: everywhere is the default route's.
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

/// As Node.js has it.
const fn family_name(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    }
}
