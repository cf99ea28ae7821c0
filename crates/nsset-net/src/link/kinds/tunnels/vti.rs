//! A VTI: a link for the packets that an IPsec policy with its keys as marks encrypts.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::netlink::{
    settings::settings,
    value::{NetworkOrder, Specified},
};

settings! {
    /// A VTI over IPv4: `IFLA_VTI_*` of linux/if_tunnel.h.
    pub struct Vti {
        /// The mark of packets that arrive.
        input_key: NetworkOrder<u32> = 2,
        /// The mark of packets that leave.
        output_key: NetworkOrder<u32> = 3,
        local: Specified<Ipv4Addr> = 4,
        remote: Specified<Ipv4Addr> = 5,
        /// The mark by which the route of the outer packets is looked up.
        mark: u32 = 6,
    }
}

settings! {
    /// A VTI over IPv6, with the same attributes.
    pub struct Vti6 {
        input_key: NetworkOrder<u32> = 2,
        output_key: NetworkOrder<u32> = 3,
        local: Specified<Ipv6Addr> = 4,
        remote: Specified<Ipv6Addr> = 5,
        mark: u32 = 6,
    }
}
