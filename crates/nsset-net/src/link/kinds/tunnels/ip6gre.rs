//! GRE tunnels over IPv6: IP (`ip6gre`) or Ethernet (`ip6gretap`) within IPv6.

use std::net::Ipv6Addr;

use netlink_packet_core::DefaultNla;

use super::{encap::tunnel, ip6tnl::Ip6TnlFlag, keyed::Keyed};
use crate::netlink::value::{NetworkOrder, Specified};

/// A GRE tunnel over IPv6.
pub type Ip6Gre = Keyed<Ip6GreTunnel>;

tunnel! {
    /// `IFLA_GRE_*` of linux/if_tunnel.h.
    pub struct Ip6GreTunnel, encap from 14 {
        local: Specified<Ipv6Addr> = 6,
        remote: Specified<Ipv6Addr> = 7,
        /// The hop limit of the outer packets.
        ttl: u8 = 8,
        /// How many more tunnels the packets may enter.
        encap_limit: u8 = 11,
        /// The traffic class and the flow label of the outer packets.
        flow_info: NetworkOrder<u32> = 12,
        flags: Vec<Ip6TnlFlag> = 13,
        /// The mark by which the route of the outer packets is looked up.
        mark: u32 = 20,
    }
}

impl Ip6Gre {
    pub(in crate::link::kinds) fn attributes(&self) -> Vec<DefaultNla> {
        [self.keys(), self.tunnel.attributes()].concat()
    }

    pub(in crate::link::kinds) fn read(data: &[u8]) -> Self {
        Self::with(Ip6GreTunnel::read_tunnel(data), data)
    }
}
