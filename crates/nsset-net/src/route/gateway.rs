//! The gateway of a route or of a next hop, as attributes have it: an address of the same family, or of the other one.

use std::{fmt, net::IpAddr};

use crate::{
    error::Error,
    netlink::attributes::{Malformed, array_at, ip, u16_at},
};

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

/// The builder refuses an address of another family than the destination's, as `RouteSpec::check` does before, in other words.
pub(super) fn mixed_families(error: impl fmt::Display) -> Error {
    Error::InvalidArgument(error.to_string())
}
