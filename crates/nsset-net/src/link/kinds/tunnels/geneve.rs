//! A GENEVE tunnel: Ethernet within UDP.

use std::net::IpAddr;

use netlink_packet_route::link::InfoGeneve;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{dont_fragment::DontFragment, encap::Flag};
use crate::netlink::{
    settings::settings,
    value::{NetworkOrder, Specified},
};

/// A GENEVE tunnel.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Geneve {
    /// The network identifier, of 24 bits.
    pub id: u32,
    pub remote: Option<IpAddr>,
    /// The UDP port. Default: 6081.
    pub port: Option<u16>,
    pub ttl: Option<u8>,
    /// Whether each packet says where it goes.
    pub external: Option<bool>,
    #[serde(flatten)]
    pub options: GeneveOptions,
}

impl Geneve {
    pub(crate) fn info(&self) -> Vec<InfoGeneve> {
        let remote = self.remote.map(|remote| match remote {
            IpAddr::V4(remote) => InfoGeneve::Remote(remote),
            IpAddr::V6(remote) => InfoGeneve::Remote6(remote),
        });
        [
            Some(InfoGeneve::Id(self.id)),
            remote,
            self.port.map(InfoGeneve::Port),
            self.ttl.map(InfoGeneve::Ttl),
            self.external.filter(|on| *on).map(|_| InfoGeneve::CollectMetadata),
        ]
        .into_iter()
        .flatten()
        .chain(self.options.attributes().into_iter().map(InfoGeneve::Other))
        .collect()
    }

    /// `data` has the same attributes as `info`.
    pub(crate) fn read(info: impl Iterator<Item = InfoGeneve>, data: &[u8]) -> Self {
        let mut geneve = Self { options: GeneveOptions::read(data), ..Self::default() };
        for info in info {
            match info {
                InfoGeneve::Id(id) => geneve.id = id,
                InfoGeneve::Remote(remote) => geneve.remote = Some(remote.into()),
                InfoGeneve::Remote6(remote) => geneve.remote = Some(remote.into()),
                InfoGeneve::Port(port) => geneve.port = Some(port),
                InfoGeneve::CollectMetadata => geneve.external = Some(true),
                InfoGeneve::Ttl(ttl) => geneve.ttl = Some(ttl),
                _ => {}
            }
        }
        geneve
    }
}

settings! {
    /// What a GENEVE tunnel can have besides its ends: `IFLA_GENEVE_*` of linux/if_link.h.
    pub struct GeneveOptions {
        /// TOS of the outer packets. 1 copies that of the inner packet.
        tos: Specified<u8> = 4,
        /// Whether the outer packets have the TTL of the inner ones.
        inherit_ttl: bool = 12,
        dont_fragment: DontFragment = 13,
        /// The flow label of the outer packets over IPv6.
        flow_label: Specified<NetworkOrder<u32>> = 11,
        /// Whether UDP over IPv4 has a checksum.
        checksum: bool = 8,
        /// Whether UDP over IPv6 has none.
        no_checksum6: bool = 9,
        /// Whether UDP over IPv6 without one is accepted.
        accept_no_checksum6: bool = 10,
        /// Whether the inner packets are IP, with their own protocol, and not Ethernet.
        inherit_protocol: Flag = 14,
    }
}
