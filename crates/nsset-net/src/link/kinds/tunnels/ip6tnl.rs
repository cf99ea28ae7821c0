//! An ip6tnl tunnel: IPv4 or IPv6 within IPv6.

use std::net::Ipv6Addr;

use super::encap::tunnel;
use crate::netlink::{
    settings::{flags, words},
    value::{NetworkOrder, Specified},
};

tunnel! {
    /// An ip6tnl tunnel: `IFLA_IPTUN_*` of linux/if_tunnel.h.
    pub struct Ip6Tnl, encap from 15 {
        local: Specified<Ipv6Addr> = 2,
        remote: Specified<Ipv6Addr> = 3,
        /// The hop limit of the outer packets.
        ttl: u8 = 4,
        /// How many more tunnels the packets may enter.
        encap_limit: u8 = 6,
        /// The traffic class and the flow label of the outer packets.
        flow_info: NetworkOrder<u32> = 7,
        flags: Vec<Ip6TnlFlag> = 8,
        mode: Ip6TnlMode = 9,
        /// The mark by which the route of the outer packets is looked up.
        mark: u32 = 20,
    }
}

words! {
    /// What is within.
    pub enum Ip6TnlMode: u8 {
        Any = 0 => "any",
        Ipv4 = 4 => "ipip6",
        Ipv6 = 41 => "ip6ip6",
    }
}

flags! {
    /// What a tunnel within IPv6 copies and ignores: `IP6_TNL_F_*` of linux/ip6_tunnel.h.
    pub enum Ip6TnlFlag: u32 {
        /// The packets may enter any number of further tunnels.
        NoEncapLimit = 0x1 => "no-encap-limit",
        CopyTrafficClass = 0x2 => "copy-traffic-class",
        CopyFlowLabel = 0x4 => "copy-flow-label",
        /// The inner packet gets the DSCP of the outer one.
        CopyDscp = 0x10 => "copy-dscp",
        CopyMark = 0x20 => "copy-mark",
        /// The other end may have an address of this machine.
        AllowLocalRemote = 0x40 => "allow-local-remote",
    }
}
