//! IP addresses with the length of their prefix.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use netlink_packet_route::AddressFamily;
use serde::{Serializer, ser::SerializeMap};

use crate::{as_text::serde_as_text, error::Error};

/// An IP address and the length of its network's prefix: `10.0.0.1/24`, `fd00::1/64`. Without one it is all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    pub address: IpAddr,
    pub prefix_length: u8,
}

impl Cidr {
    /// As far as the address has bits.
    pub fn new(address: IpAddr, prefix_length: u8) -> Result<Self, Error> {
        let bits = bits(address);
        if prefix_length > bits {
            let text = format!("the prefix of {address}/{prefix_length} is too long: such addresses have {bits} bits");
            return Err(Error::OutOfRange(text));
        }
        Ok(Self { address, prefix_length })
    }

    /// The prefix alone, with all other bits 0.
    #[must_use]
    pub fn network(self) -> Self {
        let host_bits = u32::from(bits(self.address) - self.prefix_length);
        let address = match self.address {
            IpAddr::V4(address) => {
                Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(host_bits).unwrap_or(0)).into()
            }
            IpAddr::V6(address) => {
                Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(host_bits).unwrap_or(0)).into()
            }
        };
        Self { address, ..self }
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

pub(crate) const fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

impl From<IpAddr> for Cidr {
    fn from(address: IpAddr) -> Self {
        Self { address, prefix_length: bits(address) }
    }
}

impl FromStr for Cidr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::InvalidArgument(format!(
                "'{text}' is no IP address with a prefix; one reads 10.0.0.1/24 or fd00::1/64"
            ))
        };
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let Some(prefix) = prefix else { return Ok(address.into()) };
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        Self::new(address, prefix.parse().unwrap_or(u8::MAX))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_length)
    }
}

serde_as_text!(Cidr);

/// An address in plain data: as a whole, and what is mostly asked of it.
pub(crate) fn in_parts<S: Serializer>(cidr: &Cidr, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(3))?;
    map.serialize_entry("cidr", cidr)?;
    map.serialize_entry("address", &cidr.address)?;
    map.serialize_entry("family", family_name(cidr.address))?;
    map.end()
}

/// A destination in plain data: everywhere is the default route's.
pub(crate) fn as_destination<S: Serializer>(cidr: &Cidr, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    if cidr.prefix_length == 0 {
        map.serialize_entry("destination", "default")?;
    } else {
        map.serialize_entry("destination", cidr)?;
    }
    map.serialize_entry("family", family_name(cidr.address))?;
    map.end()
}

/// As Node.js has it.
const fn family_name(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for text in ["10.0.0.1/24", "0.0.0.0/0", "fd00::1/64", "::/0", "192.0.2.1/32"] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), text);
        }
        assert_eq!("192.0.2.1".parse::<Cidr>().unwrap().prefix_length, 32);
        assert_eq!("fd00::1".parse::<Cidr>().unwrap().prefix_length, 128);
    }

    #[test]
    fn nothing_else_is_one() {
        for text in ["", "/24", "10.0.0.1/", "10.0.0.1/+8", "10.0.0/8", "10.0.0.1/8/8", "fd00::1/ 64"] {
            assert!(matches!(text.parse::<Cidr>(), Err(Error::InvalidArgument(_))), "{text}");
        }
        for text in ["10.0.0.1/33", "fd00::1/129", "10.0.0.1/999"] {
            assert!(matches!(text.parse::<Cidr>(), Err(Error::OutOfRange(_))), "{text}");
        }
    }

    #[test]
    fn the_network_is_the_prefix_alone() {
        let network = |text: &str| text.parse::<Cidr>().unwrap().network().to_string();
        assert_eq!(network("10.1.2.3/8"), "10.0.0.0/8");
        assert_eq!(network("10.1.2.3/0"), "0.0.0.0/0");
        assert_eq!(network("10.1.2.3/32"), "10.1.2.3/32");
        assert_eq!(network("fd00::1:2/64"), "fd00::/64");
        assert_eq!(network("fd00::1/0"), "::/0");
    }
}
