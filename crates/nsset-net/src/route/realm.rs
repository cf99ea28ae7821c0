//! The realms for accounting packets, as one number: `from << 16 | to`.

use netlink_packet_route::route::RouteRealm;

pub(super) const fn realm(number: u32) -> RouteRealm {
    RouteRealm { source: (number >> 16) as u16, destination: number as u16 }
}
