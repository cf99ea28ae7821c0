//! A GENEVE tunnel: Ethernet within UDP.

use std::net::IpAddr;

use netlink_packet_route::link::InfoGeneve;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

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
        .collect()
    }

    pub(crate) fn read(info: impl Iterator<Item = InfoGeneve>) -> Self {
        let mut geneve = Self::default();
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
