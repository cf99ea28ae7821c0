//! Reads the gateway of a route or of a next hop from attributes: an address of the same family, or of the other one.

use std::{fmt, net::IpAddr};

use crate::{
    error::Error,
    netlink::attributes::{Malformed, array_at, ip, u16_at},
};

/// Reads an address of the same family.
pub(super) fn ip_of(family: IpAddr, value: &[u8]) -> Result<IpAddr, Malformed> {
    ip(value).and_then(|address| if address.is_ipv4() == family.is_ipv4() { Ok(address) } else { Err(Malformed) })
}

/// Reads `struct rtvia`: a family, and an address of that family.
pub(super) fn via(value: &[u8]) -> Result<IpAddr, Malformed> {
    match i32::from(u16_at(value, 0)?) {
        libc::AF_INET => array_at::<4>(value, 2).map(IpAddr::from),
        libc::AF_INET6 => array_at::<16>(value, 2).map(IpAddr::from),
        _ => Err(Malformed),
    }
}

/// Converts the builder's error for an address of another family than the destination's. `RouteSpec::check` reports it before.
pub(super) fn mixed_families(error: impl fmt::Display) -> Error {
    Error::InvalidArgument(error.to_string())
}
