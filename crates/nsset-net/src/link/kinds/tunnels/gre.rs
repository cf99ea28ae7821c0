//! GRE tunnels: IP within IP (`gre`), or Ethernet within IP (`gretap`).

use std::net::Ipv4Addr;

use netlink_packet_core::DefaultNla;

use super::{encap::tunnel, keyed::Keyed};
use crate::netlink::value::Specified;

/// A GRE tunnel.
pub type Gre = Keyed<GreTunnel>;

tunnel! {
    /// `IFLA_GRE_*` of linux/if_tunnel.h.
    pub struct GreTunnel, encap from 14 {
        local: Specified<Ipv4Addr> = 6,
        remote: Specified<Ipv4Addr> = 7,
        /// 0 copies the TTL of the inner packet.
        ttl: u8 = 8,
        /// 1 copies that of the inner packet.
        tos: u8 = 9,
        /// Whether routers must not divide the outer packets. It can only be false without a TTL.
        path_mtu_discovery: bool = 10,
        /// Whether packets that may not be divided are divided nevertheless.
        ignore_dont_fragment: bool = 19,
        /// The mark by which the route of the outer packets is looked up.
        mark: u32 = 20,
    }
}

impl Gre {
    pub(in crate::link::kinds) fn attributes(&self) -> Vec<DefaultNla> {
        [self.keys(), self.tunnel.attributes()].concat()
    }

    pub(in crate::link::kinds) fn read(data: &[u8]) -> Self {
        Self::with(GreTunnel::read_tunnel(data), data)
    }
}
