//! A tunnel of IPv4 within IPv4.

use std::net::Ipv4Addr;

use super::encap::tunnel;
use crate::netlink::value::Specified;

tunnel! {
    /// An IPIP tunnel: `IFLA_IPTUN_*` of linux/if_tunnel.h.
    pub struct Ipip, encap from 15 {
        local: Specified<Ipv4Addr> = 2,
        remote: Specified<Ipv4Addr> = 3,
        /// 0 copies the TTL of the inner packet.
        ttl: u8 = 4,
    }
}
