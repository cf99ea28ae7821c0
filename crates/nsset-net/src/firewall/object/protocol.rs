//! The protocols of the connections for which an object is.

use serde::{Deserialize, Serialize};

use crate::firewall::family::Family;

/// The version of IP, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    Inet,
    Ip,
    Ip6,
}

impl Network {
    /// `NFPROTO_*`.
    pub(super) fn number(self) -> u16 {
        let family = match self {
            Self::Inet => Family::Inet,
            Self::Ip => Family::Ip,
            Self::Ip6 => Family::Ip6,
        };
        family.number().into()
    }

    /// Returns the version, if it is not that of the table; `None` inside if it has no name here.
    #[expect(clippy::option_option, reason = "it may be that of the table, or have no name")]
    pub(super) fn beside(number: u16, table: Family) -> Option<Option<Self>> {
        let of = match Family::of(u8::try_from(number).ok()?)? {
            family if family == table => return Some(None),
            Family::Inet => Self::Inet,
            Family::Ip => Self::Ip,
            Family::Ip6 => Self::Ip6,
            _ => return None,
        };
        Some(Some(of))
    }
}

/// A protocol above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    /// `IPPROTO_*`.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    pub(super) fn of(number: u8) -> Option<Self> {
        [Self::Tcp, Self::Udp].into_iter().find(|protocol| protocol.number() == number)
    }
}
