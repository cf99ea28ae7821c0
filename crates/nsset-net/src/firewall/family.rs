//! The families of tables.

use serde::{Deserialize, Serialize};

/// Which packets a table gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4 and IPv6.
    #[default]
    Inet,
    Ip,
    Ip6,
    Arp,
    Bridge,
    Netdev,
}

/// `NFPROTO_*` of linux/netfilter.h.
const NUMBERS: [(Family, u8); 6] =
    [(Family::Inet, 1), (Family::Ip, 2), (Family::Arp, 3), (Family::Netdev, 5), (Family::Bridge, 7), (Family::Ip6, 10)];

impl Family {
    pub(crate) fn number(self) -> u8 {
        NUMBERS.iter().find(|(family, _)| *family == self).map_or(0, |(_, number)| *number)
    }

    pub(crate) fn of(number: u8) -> Option<Self> {
        NUMBERS.iter().find(|(_, known)| *known == number).map(|(family, _)| *family)
    }

    /// The name in nft(8).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Arp => "arp",
            Self::Bridge => "bridge",
            Self::Netdev => "netdev",
        }
    }
}
