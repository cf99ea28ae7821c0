//! GRE tunnels: IP within IP (`gre`), or Ethernet within IP (`gretap`).

use std::net::Ipv4Addr;

use netlink_packet_route::link::{GreIOFlags, InfoGre};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// A GRE tunnel. Its packets leave through the `dev` of its [`LinkSpec`](crate::LinkSpec), if that is given.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Gre {
    pub local: Option<Ipv4Addr>,
    pub remote: Option<Ipv4Addr>,
    /// The key in both directions.
    pub key: Option<u32>,
    /// 0 copies the TTL of the inner packet.
    pub ttl: Option<u8>,
}

impl Gre {
    pub(crate) fn info(self, dev: Option<u32>) -> Vec<InfoGre> {
        let keys = self.key.into_iter().flat_map(|key| {
            [InfoGre::IFlags(GreIOFlags::Key), InfoGre::OFlags(GreIOFlags::Key), InfoGre::IKey(key), InfoGre::OKey(key)]
        });
        let others = [
            dev.map(InfoGre::Link),
            self.local.map(InfoGre::Local),
            self.remote.map(InfoGre::Remote),
            self.ttl.map(InfoGre::Ttl),
        ];
        keys.chain(others.into_iter().flatten()).collect()
    }

    /// The tunnel, and its device.
    pub(crate) fn read(info: impl Iterator<Item = InfoGre>) -> (Self, Option<u32>) {
        let mut gre = Self::default();
        let mut dev = None;
        let mut has_key = false;
        for info in info {
            match info {
                InfoGre::Link(index) => dev = Some(index),
                InfoGre::Local(local) => gre.local = Some(local).filter(|local| !local.is_unspecified()),
                InfoGre::Remote(remote) => gre.remote = Some(remote).filter(|remote| !remote.is_unspecified()),
                InfoGre::Ttl(ttl) => gre.ttl = Some(ttl),
                InfoGre::OFlags(flags) => has_key = flags.contains(GreIOFlags::Key),
                InfoGre::OKey(key) => gre.key = Some(key),
                _ => {}
            }
        }
        gre.key = gre.key.filter(|_| has_key);
        (gre, dev.filter(|index| *index != 0))
    }
}
