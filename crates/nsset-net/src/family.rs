//! The address families of IP.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// An address family, with its name in Node.js.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Family {
    #[serde(rename = "IPv4")]
    Ipv4,
    #[serde(rename = "IPv6")]
    Ipv6,
}

impl Family {
    pub(crate) const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// Returns the family with this number, `AF_INET` or `AF_INET6`.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Ipv4, Self::Ipv6].into_iter().find(|family| family.number() == number)
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Ipv4 => libc::AF_INET as u8,
            Self::Ipv6 => libc::AF_INET6 as u8,
        }
    }
}

/// Returns the bytes of an address, as in attributes.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    }
}
