//! GRE tunnels over IPv6: IP (`ip6gre`) or Ethernet (`ip6gretap`) within IPv6.

use std::net::Ipv6Addr;

use netlink_packet_core::DefaultNla;

use super::ip6tnl::Ip6TnlFlag;
use crate::netlink::{
    settings::settings,
    value::{NetworkOrder, Specified},
};

settings! {
    /// A GRE tunnel over IPv6: `IFLA_GRE_*` of linux/if_tunnel.h.
    pub struct Ip6Gre {
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

/// `GRE_KEY` of linux/if_tunnel.h.
const KEY: u16 = 0x2000;

impl Ip6Gre {
    /// Returns the attributes for both directions.
    pub(crate) fn both_ways(&self) -> Vec<DefaultNla> {
        let flags = self.key.map(|_| NetworkOrder(KEY));
        Self { input_flags: flags, output_flags: flags, input_key: self.key, ..self.clone() }.attributes()
    }

    /// Reads a tunnel. The kernel reports a key of 0 for one without a key.
    pub(crate) fn read_with_key(data: &[u8]) -> Self {
        let tunnel = Self::read(data);
        let has_key = tunnel.output_flags.is_some_and(|flags| flags.0 & KEY != 0);
        let key = tunnel.key.filter(|_| has_key);
        Self { input_flags: None, output_flags: None, input_key: None, key, ..tunnel }
    }
}

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
