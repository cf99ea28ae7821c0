//! A tunnel of IPv4 within IPv4.

use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_core::ParseableParametrized;
use netlink_packet_route::link::{InfoIpTunnel, InfoKind};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::netlink::attributes::Attributes;

/// An IPIP tunnel. Its packets leave through the `dev` of its [`LinkSpec`](crate::LinkSpec), if that is given.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ipip {
    pub local: Option<Ipv4Addr>,
    pub remote: Option<Ipv4Addr>,
    /// 0 copies the TTL of the inner packet.
    pub ttl: Option<u8>,
}

impl Ipip {
    pub(crate) fn info(self, dev: Option<u32>) -> Vec<InfoIpTunnel> {
        [
            dev.map(InfoIpTunnel::Link),
            self.local.map(|local| InfoIpTunnel::Local(local.into())),
            self.remote.map(|remote| InfoIpTunnel::Remote(remote.into())),
            self.ttl.map(InfoIpTunnel::Ttl),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The tunnel, and its device.
    pub(crate) fn read(data: &[u8]) -> (Self, Option<u32>) {
        let mut ipip = Self::default();
        let mut dev = None;
        for info in infos(data) {
            match info {
                InfoIpTunnel::Link(index) => dev = Some(index).filter(|index| *index != 0),
                InfoIpTunnel::Local(local) => ipip.local = specified(local),
                InfoIpTunnel::Remote(remote) => ipip.remote = specified(remote),
                InfoIpTunnel::Ttl(ttl) => ipip.ttl = Some(ttl),
                _ => {}
            }
        }
        (ipip, dev)
    }
}

fn infos(data: &[u8]) -> impl Iterator<Item = InfoIpTunnel> {
    Attributes::within(data).parsed(|attribute| InfoIpTunnel::parse_with_param(attribute, InfoKind::IpIp).ok())
}

fn specified(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) if !address.is_unspecified() => Some(address),
        _ => None,
    }
}
