//! GRE tunnels over IPv6: IP (`ip6gre`) or Ethernet (`ip6gretap`) within IPv6.

use std::net::Ipv6Addr;

use super::{
    encap::{keyed, tunnel},
    ip6tnl::Ip6TnlFlag,
};
use crate::netlink::value::{NetworkOrder, Specified};

tunnel! {
    /// A GRE tunnel over IPv6: `IFLA_GRE_*` of linux/if_tunnel.h.
    pub struct Ip6Gre, encap from 14 {
        /// Which of the keys are in use.
        #[serde(skip)]
        input_flags: NetworkOrder<u16> = 2,
        #[serde(skip)]
        output_flags: NetworkOrder<u16> = 3,
        #[serde(skip)]
        input_key: NetworkOrder<u32> = 4,
        /// The key in both directions.
        key: NetworkOrder<u32> = 5,
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

keyed!(Ip6Gre);

#[cfg(test)]
mod tests {
    use super::{super::carrier::carried_by, *};

    #[test]
    fn the_key_comes_back_only_if_it_is_in_use() {
        let given = Ip6Gre { key: Some(NetworkOrder(7)), ttl: Some(9), ..Ip6Gre::default() };
        assert_eq!(Ip6Gre::read_with_key(&carried_by(None, given.both_ways())), given);
        let unused = Ip6Gre { input_flags: None, output_flags: Some(NetworkOrder(0)), ..given.clone() };
        assert_eq!(Ip6Gre::read_with_key(&unused.bytes()), Ip6Gre { key: None, ..given });
    }
}
