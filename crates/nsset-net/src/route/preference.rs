//! The preference of an IPv6 router (RFC 4191).

use netlink_packet_route::route::RoutePreference;
use serde::{Deserialize, Serialize};

/// The preference of an IPv6 route: `pref` of ip-route(8). Default: medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preference {
    Low,
    Medium,
    High,
}

impl Preference {
    /// Returns `None` for medium, which the kernel reports for every route.
    pub(super) fn read(number: u8) -> Option<Self> {
        match number.into() {
            RoutePreference::Low => Some(Self::Low),
            RoutePreference::High => Some(Self::High),
            _ => None,
        }
    }
}

impl From<Preference> for RoutePreference {
    fn from(preference: Preference) -> Self {
        match preference {
            Preference::Low => Self::Low,
            Preference::Medium => Self::Medium,
            Preference::High => Self::High,
        }
    }
}
