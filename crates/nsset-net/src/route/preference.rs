//! How much an IPv6 router wants to be used (RFC 4191).

use serde::{Deserialize, Serialize};

/// The preference of an IPv6 route; `pref` of ip-route(8). It is medium where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preference {
    Low,
    Medium,
    High,
}

impl Preference {
    /// `ICMPV6_ROUTER_PREF_*` of linux/icmpv6.h.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Low => 3,
            Self::Medium => 0,
            Self::High => 1,
        }
    }

    /// None for medium, which the kernel says of every route.
    pub(super) const fn read(number: u8) -> Option<Self> {
        match number {
            3 => Some(Self::Low),
            1 => Some(Self::High),
            _ => None,
        }
    }
}
