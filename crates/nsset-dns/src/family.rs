//! The addresses that are asked for.

use std::net::IpAddr;

/// A family of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    #[default]
    Any,
    V4,
    V6,
}

/// Whether IPv4 addresses are returned as IPv6 addresses (`::ffff:10.0.0.1`), where IPv6 alone is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mapped {
    #[default]
    No,
    /// Where there are no others: `AI_V4MAPPED` of getaddrinfo(3).
    Instead,
    /// Beside the others: `AI_ALL` with it.
    Beside,
}

/// What is asked for.
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
    /// Whether IPv4 addresses are mapped, where so many of IPv6 were found.
    pub(crate) fn maps(self, found: &[IpAddr]) -> bool {
        self.family == Family::V6
            && match self.mapped {
                Mapped::No => false,
                Mapped::Instead => found.is_empty(),
                Mapped::Beside => true,
            }
    }

    /// What a name that is an address comes to.
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
