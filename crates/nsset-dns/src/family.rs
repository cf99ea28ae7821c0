//! Which addresses a lookup returns.

use std::net::IpAddr;

/// A family of addresses, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    #[default]
    Any,
    V4,
    V6,
}

/// Whether a lookup of IPv6 addresses also returns IPv4 addresses as IPv6 addresses (`::ffff:10.0.0.1`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mapped {
    #[default]
    No,
    /// If there are no IPv6 addresses: `AI_V4MAPPED` of getaddrinfo(3).
    Instead,
    /// In addition to IPv6 addresses: `AI_V4MAPPED` with `AI_ALL`.
    Beside,
}

/// The addresses that a lookup returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub family: Family,
    pub mapped: Mapped,
}

impl From<Family> for Wanted {
    fn from(family: Family) -> Self {
        Self { family, mapped: Mapped::No }
    }
}

impl Wanted {
    /// Returns whether to add mapped IPv4 addresses to the IPv6 addresses that were found.
    pub(crate) fn maps(self, found: &[IpAddr]) -> bool {
        self.family == Family::V6
            && match self.mapped {
                Mapped::No => false,
                Mapped::Instead => found.is_empty(),
                Mapped::Beside => true,
            }
    }

    /// Returns the result for a name that is an address, or `None` if it is of the other family.
    pub(crate) fn of_address(self, address: IpAddr) -> Option<IpAddr> {
        match (self.family, address) {
            (Family::Any, _) | (Family::V4, IpAddr::V4(_)) | (Family::V6, IpAddr::V6(_)) => Some(address),
            (Family::V6, IpAddr::V4(_)) => (self.mapped != Mapped::No).then(|| mapped(address)),
            (Family::V4, IpAddr::V6(address)) => address.to_ipv4_mapped().map(IpAddr::V4),
        }
    }
}

pub fn mapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().into(),
        IpAddr::V6(_) => address,
    }
}
