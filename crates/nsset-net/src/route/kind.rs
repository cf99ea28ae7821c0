//! What becomes of a packet.

use serde::{Deserialize, Serialize};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    #[default]
    Unicast,
    /// It is for us.
    Local,
    Broadcast,
    Anycast,
    Multicast,
    /// It is dropped.
    Blackhole,
    /// It is answered with "unreachable".
    Unreachable,
    /// It is answered with "prohibited".
    Prohibit,
    /// The next table is asked.
    Throw,
    #[serde(untagged)]
    Other(u8),
}

impl From<u8> for RouteKind {
    fn from(number: u8) -> Self {
        match number {
            libc::RTN_UNICAST => Self::Unicast,
            libc::RTN_LOCAL => Self::Local,
            libc::RTN_BROADCAST => Self::Broadcast,
            libc::RTN_ANYCAST => Self::Anycast,
            libc::RTN_MULTICAST => Self::Multicast,
            libc::RTN_BLACKHOLE => Self::Blackhole,
            libc::RTN_UNREACHABLE => Self::Unreachable,
            libc::RTN_PROHIBIT => Self::Prohibit,
            libc::RTN_THROW => Self::Throw,
            other => Self::Other(other),
        }
    }
}

impl From<RouteKind> for u8 {
    fn from(kind: RouteKind) -> Self {
        match kind {
            RouteKind::Unicast => libc::RTN_UNICAST,
            RouteKind::Local => libc::RTN_LOCAL,
            RouteKind::Broadcast => libc::RTN_BROADCAST,
            RouteKind::Anycast => libc::RTN_ANYCAST,
            RouteKind::Multicast => libc::RTN_MULTICAST,
            RouteKind::Blackhole => libc::RTN_BLACKHOLE,
            RouteKind::Unreachable => libc::RTN_UNREACHABLE,
            RouteKind::Prohibit => libc::RTN_PROHIBIT,
            RouteKind::Throw => libc::RTN_THROW,
            RouteKind::Other(other) => other,
        }
    }
}
