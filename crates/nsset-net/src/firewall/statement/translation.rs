//! `masquerade`, `snat`, `dnat`, `redirect` and `tproxy`: other addresses for packets.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::counter::is_false;
use crate::{
    error::{Error, Result},
    firewall::matching::operand::Operand,
};

/// New addresses and ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Translation {
    /// An address or a range of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// A port or a range of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Operand>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub random: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub fully_random: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub persistent: bool,
}

/// `NF_NAT_RANGE_*` of linux/netfilter/nf_nat.h.
const MAP_IPS: u32 = 1;
const PROTO_SPECIFIED: u32 = 2;
const PROTO_RANDOM: u32 = 4;
const PERSISTENT: u32 = 8;
const PROTO_RANDOM_FULLY: u32 = 16;

impl Translation {
    pub(crate) fn flags(&self) -> Option<u32> {
        let flags = [
            (PROTO_SPECIFIED, self.port.is_some()),
            (PROTO_RANDOM, self.random),
            (PERSISTENT, self.persistent),
            (PROTO_RANDOM_FULLY, self.fully_random),
        ];
        let flags = flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag).sum();
        Some(flags).filter(|flags| *flags != 0)
    }

    /// Reads what flags say. `None` if they say more.
    pub(crate) fn of_flags(flags: Option<u32>) -> Option<Self> {
        let flags = flags.unwrap_or(0);
        let known = MAP_IPS | PROTO_SPECIFIED | PROTO_RANDOM | PERSISTENT | PROTO_RANDOM_FULLY;
        (flags & !known == 0).then(|| Self {
            random: flags & PROTO_RANDOM != 0,
            fully_random: flags & PROTO_RANDOM_FULLY != 0,
            persistent: flags & PERSISTENT != 0,
            ..Self::default()
        })
    }

    /// Returns the first and the last address.
    pub(crate) fn addresses(&self) -> Result<Option<(IpAddr, Option<IpAddr>)>> {
        let Some(to) = &self.to else { return Ok(None) };
        let parse = |text: &str| {
            text.parse::<IpAddr>().map_err(|_| Error::InvalidArgument(format!("'{to}' is not an address or a range")))
        };
        match to.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (parse(first)?, parse(last)?);
                if first.is_ipv4() != last.is_ipv4() || last < first {
                    return Err(Error::InvalidArgument(format!("'{to}' is not a range: it ends before it begins")));
                }
                Ok(Some((first, Some(last))))
            }
            None => Ok(Some((parse(to)?, None))),
        }
    }
}

/// Returns the bytes of an address.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
