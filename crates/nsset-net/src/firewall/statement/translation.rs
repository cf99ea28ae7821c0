//! `masquerade`, `snat`, `dnat`, `redirect` and `tproxy`: other addresses for packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::counter::is_false;
use crate::{
    error::{Error, Result},
    firewall::matching::{mapped::Mapped, operand::Operand},
};

/// A new address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Target {
    /// An address or a range of them.
    Address(String),
    /// What a map has: addresses, also with ports.
    Mapped(Mapped),
}

/// A new port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Port {
    /// A port or a range of them.
    Given(Operand),
    Mapped(Mapped),
}

/// New addresses and ports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Translation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub random: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub fully_random: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub persistent: bool,
    /// Whether each address of a prefix gets the one at the same place of another.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prefix: bool,
}

/// `NF_NAT_RANGE_*` of linux/netfilter/nf_nat.h.
const MAP_IPS: u32 = 1;
const PROTO_SPECIFIED: u32 = 2;
const PROTO_RANDOM: u32 = 4;
const PERSISTENT: u32 = 8;
const PROTO_RANDOM_FULLY: u32 = 16;
const NETMAP: u32 = 64;

impl Translation {
    pub(crate) fn flags(&self) -> Option<u32> {
        let flags = [
            (PROTO_SPECIFIED, self.port.is_some()),
            (PROTO_RANDOM, self.random),
            (PERSISTENT, self.persistent),
            (PROTO_RANDOM_FULLY, self.fully_random),
            (NETMAP, self.prefix),
        ];
        let flags = flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag).sum();
        Some(flags).filter(|flags| *flags != 0)
    }

    /// Reads what flags say. `None` if they say more.
    pub(crate) fn of_flags(flags: Option<u32>) -> Option<Self> {
        let flags = flags.unwrap_or(0);
        let known = MAP_IPS | PROTO_SPECIFIED | PROTO_RANDOM | PERSISTENT | PROTO_RANDOM_FULLY | NETMAP;
        (flags & !known == 0).then(|| Self {
            random: flags & PROTO_RANDOM != 0,
            fully_random: flags & PROTO_RANDOM_FULLY != 0,
            persistent: flags & PERSISTENT != 0,
            prefix: flags & NETMAP != 0,
            ..Self::default()
        })
    }

    /// Returns what is looked up in maps.
    pub(crate) fn mapped(&self) -> impl Iterator<Item = &Mapped> {
        let to = match &self.to {
            Some(Target::Mapped(mapped)) => Some(mapped),
            _ => None,
        };
        let port = match &self.port {
            Some(Port::Mapped(mapped)) => Some(mapped),
            _ => None,
        };
        to.into_iter().chain(port)
    }
}

/// Returns the first and the last address of a text.
pub(crate) fn addresses(to: &str) -> Result<(IpAddr, Option<IpAddr>)> {
    let parse = |text: &str| {
        text.parse::<IpAddr>().map_err(|_| Error::InvalidArgument(format!("'{to}' is not an address or a range")))
    };
    if let Some((network, length)) = to.split_once('/') {
        let (first, last) = ends(parse(network)?, length.parse().unwrap_or(u32::MAX))
            .ok_or_else(|| Error::InvalidArgument(format!("'{to}' is not a prefix")))?;
        return Ok((first, Some(last)));
    }
    let Some((first, last)) = to.split_once('-') else { return Ok((parse(to)?, None)) };
    let (first, last) = (parse(first)?, parse(last)?);
    if first.is_ipv4() != last.is_ipv4() {
        let text = format!("'{to}' is not a range: one end is an IPv4 address and the other an IPv6 address");
        return Err(Error::InvalidArgument(text));
    }
    if last < first {
        return Err(Error::InvalidArgument(format!("'{to}' is not a range: it ends before it begins")));
    }
    Ok((first, Some(last)))
}

/// Returns the first and the last address of a prefix.
fn ends(network: IpAddr, length: u32) -> Option<(IpAddr, IpAddr)> {
    Some(match network {
        IpAddr::V4(address) => {
            let rest = u32::MAX.checked_shr(length).filter(|_| length <= 32).or((length == 32).then_some(0))?;
            let first = address.to_bits() & !rest;
            (Ipv4Addr::from_bits(first).into(), Ipv4Addr::from_bits(first | rest).into())
        }
        IpAddr::V6(address) => {
            let rest = u128::MAX.checked_shr(length).filter(|_| length <= 128).or((length == 128).then_some(0))?;
            let first = address.to_bits() & !rest;
            (Ipv6Addr::from_bits(first).into(), Ipv6Addr::from_bits(first | rest).into())
        }
    })
}

/// Returns the bytes of an address.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
