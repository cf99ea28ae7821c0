//! A tunnel of IPv4, and of MPLS, within IPv4.

use std::net::Ipv4Addr;

use super::encap::tunnel;
use crate::netlink::{settings::words, value::Specified};

tunnel! {
    /// An IPIP tunnel: `IFLA_IPTUN_*` of linux/if_tunnel.h.
    pub struct Ipip, encap from 15 {
        local: Specified<Ipv4Addr> = 2,
        remote: Specified<Ipv4Addr> = 3,
        /// 0 copies the TTL of the inner packet.
        ttl: u8 = 4,
        /// 1 copies that of the inner packet.
        tos: u8 = 5,
        mode: IpipMode = 9,
        /// Whether routers must not divide the outer packets. It can only be false without a TTL.
        path_mtu_discovery: bool = 10,
        /// The mark by which the route of the outer packets is looked up.
        mark: u32 = 20,
    }
}

words! {
    /// What is within.
    pub enum IpipMode: u8 {
        Any = 0 => "any",
        /// The kernel's default.
        Ipv4 = 4 => "ipip",
        Mpls = 137 => "mplsip",
    }
}
