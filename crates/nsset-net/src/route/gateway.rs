//! The gateway of a route or of a next hop, as attributes have it: an address of the same family, or of the other one.

use std::net::IpAddr;

use super::RTA_VIA;
use crate::netlink::attributes::{Malformed, array_at, ip, u16_at};

/// An address of the same family.
pub(super) fn ip_of(family: IpAddr, value: &[u8]) -> Result<IpAddr, Malformed> {
    ip(value).and_then(|address| if address.is_ipv4() == family.is_ipv4() { Ok(address) } else { Err(Malformed) })
}

/// `struct rtvia`: a family, and an address of it.
pub(super) fn via(value: &[u8]) -> Result<IpAddr, Malformed> {
    match i32::from(u16_at(value, 0)?) {
        libc::AF_INET => array_at::<4>(value, 2).map(IpAddr::from),
        libc::AF_INET6 => array_at::<16>(value, 2).map(IpAddr::from),
        _ => Err(Malformed),
    }
}

/// The attribute of a gateway; one of the other family is another attribute.
pub(super) fn gateway_bytes(destination: IpAddr, gateway: IpAddr) -> (u16, Vec<u8>) {
    if destination.is_ipv4() == gateway.is_ipv4() {
        return (libc::RTA_GATEWAY, ip_bytes(gateway));
    }
    let family = if gateway.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 } as u16;
    (RTA_VIA, [&family.to_ne_bytes()[..], &ip_bytes(gateway)].concat())
}

pub(super) fn ip_bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    }
}
