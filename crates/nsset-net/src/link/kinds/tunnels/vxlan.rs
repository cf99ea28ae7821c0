//! A VXLAN: Ethernet within UDP.

use std::{net::IpAddr, time::Duration};

use netlink_packet_route::link::InfoVxlan;
use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use super::vxlan_options::VxlanOptions;
use crate::milliseconds::Milliseconds;

/// A VXLAN. Its packets leave through the `dev` of its [`LinkSpec`](crate::LinkSpec), if that is given.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Vxlan {
    /// The network identifier, of 24 bits.
    pub id: u32,
    pub local: Option<IpAddr>,
    /// The multicast group. Cannot be combined with `remote`.
    pub group: Option<IpAddr>,
    /// The address of the only other end.
    pub remote: Option<IpAddr>,
    /// The UDP port; the kernel's own is 8472, the standard's 4789.
    pub port: Option<u16>,
    pub ttl: Option<u8>,
    /// Whether it learns at which end a MAC address is. Default: true, without `external`.
    pub learning: Option<bool>,
    /// How long it remembers a learned address.
    #[serde_as(as = "Option<Milliseconds>")]
    pub ageing_time: Option<Duration>,
    /// Whether each packet says where it goes.
    pub external: Option<bool>,
    #[serde(flatten)]
    pub options: VxlanOptions,
}

impl Vxlan {
    pub(crate) fn info(&self, dev: Option<u32>) -> Vec<InfoVxlan> {
        let local = self.local.map(|local| match local {
            IpAddr::V4(local) => InfoVxlan::Local(local),
            IpAddr::V6(local) => InfoVxlan::Local6(local),
        });
        let remote = self.group.or(self.remote).map(|remote| match remote {
            IpAddr::V4(remote) => InfoVxlan::Group(remote),
            IpAddr::V6(remote) => InfoVxlan::Group6(remote),
        });
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        [
            Some(InfoVxlan::Id(self.id)),
            dev.map(InfoVxlan::Link),
            local,
            remote,
            self.port.map(InfoVxlan::Port),
            self.ttl.map(InfoVxlan::Ttl),
            // The kernel turns learning off if the attribute is missing: vxlan_nl2conf() of drivers/net/vxlan/vxlan_core.c.
            Some(InfoVxlan::Learning(self.learning.unwrap_or(self.external != Some(true)))),
            self.ageing_time.map(|time| InfoVxlan::Ageing(seconds(time))),
            self.external.map(InfoVxlan::CollectMetadata),
        ]
        .into_iter()
        .flatten()
        .chain(self.options.attributes().into_iter().map(InfoVxlan::Other))
        .collect()
    }

    /// The VXLAN, and its device. `data` has the same attributes as `info`.
    pub(crate) fn read(info: impl Iterator<Item = InfoVxlan>, data: &[u8]) -> (Self, Option<u32>) {
        let mut vxlan = Self { options: VxlanOptions::read(data), ..Self::default() };
        let mut dev = None;
        for info in info {
            match info {
                InfoVxlan::Id(id) => vxlan.id = id,
                InfoVxlan::Link(index) => dev = Some(index),
                InfoVxlan::Local(local) => vxlan.local = Some(local.into()),
                InfoVxlan::Local6(local) => vxlan.local = Some(local.into()),
                InfoVxlan::Group(remote) => vxlan.set_destination(remote.into()),
                InfoVxlan::Group6(remote) => vxlan.set_destination(remote.into()),
                InfoVxlan::Port(port) => vxlan.port = Some(port),
                InfoVxlan::Ttl(ttl) => vxlan.ttl = Some(ttl),
                InfoVxlan::Learning(on) => vxlan.learning = Some(on),
                InfoVxlan::CollectMetadata(on) => vxlan.external = Some(on).filter(|on| *on),
                InfoVxlan::Ageing(seconds) => vxlan.ageing_time = Some(Duration::from_secs(seconds.into())),
                _ => {}
            }
        }
        (vxlan, dev)
    }

    /// Sets `group` or `remote`, for which the kernel has one attribute.
    fn set_destination(&mut self, address: IpAddr) {
        let place = if address.is_multicast() { &mut self.group } else { &mut self.remote };
        *place = Some(address);
    }
}
