//! GRE tunnels: IP within IP (`gre`), or Ethernet within IP (`gretap`).

use std::net::Ipv4Addr;

use super::encap::{keyed, tunnel};
use crate::netlink::value::{NetworkOrder, Specified};

tunnel! {
    /// A GRE tunnel: `IFLA_GRE_*` of linux/if_tunnel.h.
    pub struct Gre, encap from 14 {
        /// Which of the keys are in use.
        #[serde(skip)]
        input_flags: NetworkOrder<u16> = 2,
        #[serde(skip)]
        output_flags: NetworkOrder<u16> = 3,
        #[serde(skip)]
        input_key: NetworkOrder<u32> = 4,
        /// The key in both directions.
        key: NetworkOrder<u32> = 5,
        local: Specified<Ipv4Addr> = 6,
        remote: Specified<Ipv4Addr> = 7,
        /// 0 copies the TTL of the inner packet.
        ttl: u8 = 8,
    }
}

keyed!(Gre);
