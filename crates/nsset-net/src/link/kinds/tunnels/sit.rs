//! A SIT tunnel: IPv6, and other protocols, within IPv4.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use netlink_packet_core::DefaultNla;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::encap::tunnel;
use crate::netlink::{
    settings::{settings, words},
    value::Specified,
};

/// A SIT tunnel.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Sit {
    #[serde(flatten)]
    pub tunnel: SitTunnel,
    /// IPv6 rapid deployment (RFC 5969): the prefix whose addresses contain the IPv4 address of their router.
    pub rapid_deployment: Option<Ipv6Net>,
    /// What all these IPv4 addresses begin with, which the IPv6 addresses leave out.
    pub rapid_deployment_relay: Option<Ipv4Net>,
}

tunnel! {
    /// `IFLA_IPTUN_*` of linux/if_tunnel.h.
    pub struct SitTunnel, encap from 15 {
        local: Specified<Ipv4Addr> = 2,
        remote: Specified<Ipv4Addr> = 3,
        /// 0 copies that of the inner packet.
        ttl: u8 = 4,
        /// 1 copies that of the inner packet.
        tos: u8 = 5,
        mode: SitMode = 9,
        /// Whether routers must not divide the outer packets. It can only be false without a TTL.
        path_mtu_discovery: bool = 10,
        /// The mark by which the route of the outer packets is looked up.
        mark: u32 = 20,
    }
}

settings! {
    /// The prefixes of rapid deployment: `IFLA_IPTUN_6RD_*`.
    pub struct Prefixes {
        prefix: Ipv6Addr = 11,
        relay_prefix: Ipv4Addr = 12,
        prefix_length: u16 = 13,
        relay_prefix_length: u16 = 14,
    }
}

words! {
    /// What is within.
    pub enum SitMode: u8 {
        Any = 0 => "any",
        Ipv4 = 4 => "ipip",
        /// The kernel's default.
        Ipv6 = 41 => "ip6ip",
        Mpls = 137 => "mplsip",
    }
}

/// The prefix that every new tunnel has, that of 6to4.
const DEFAULT: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

/// The relay prefix that every new tunnel has.
const WHOLE: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0);

impl Sit {
    pub(in crate::link::kinds) fn attributes(&self) -> Vec<DefaultNla> {
        [self.tunnel.attributes(), self.prefixes().attributes()].concat()
    }

    fn prefixes(&self) -> Prefixes {
        let relay = self.rapid_deployment_relay;
        Prefixes {
            prefix: self.rapid_deployment.map(|prefix| prefix.addr()),
            prefix_length: self.rapid_deployment.map(|prefix| prefix.prefix_len().into()),
            relay_prefix: relay.map(|relay| relay.addr()),
            relay_prefix_length: relay.map(|relay| relay.prefix_len().into()),
        }
    }

    /// The kernel reports prefixes also if none were given.
    pub(in crate::link::kinds) fn read(data: &[u8]) -> Self {
        let prefixes = Prefixes::read(data);
        let length = |length: Option<u16>| length.and_then(|length| u8::try_from(length).ok());
        let prefix = prefixes.prefix.zip(length(prefixes.prefix_length));
        let relay = prefixes.relay_prefix.zip(length(prefixes.relay_prefix_length));
        Self {
            tunnel: SitTunnel::read_tunnel(data),
            rapid_deployment: prefix
                .and_then(|(address, length)| Ipv6Net::new(address, length).ok())
                .filter(|prefix| *prefix != DEFAULT),
            rapid_deployment_relay: relay
                .and_then(|(address, length)| Ipv4Net::new(address, length).ok())
                .filter(|relay| *relay != WHOLE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::carrier::carried_by, *};

    #[test]
    fn the_prefixes_come_back_if_they_are_not_the_kernels() {
        let given = Sit {
            rapid_deployment: Some("2001:db8::/32".parse().unwrap()),
            rapid_deployment_relay: Some("10.0.0.0/8".parse().unwrap()),
            ..Sit::default()
        };
        assert_eq!(Sit::read(&carried_by(None, given.attributes())), given);
        let defaults = Sit { rapid_deployment: Some(DEFAULT), rapid_deployment_relay: Some(WHOLE), ..Sit::default() };
        assert_eq!(Sit::read(&carried_by(None, defaults.attributes())), Sit::default());
    }
}
