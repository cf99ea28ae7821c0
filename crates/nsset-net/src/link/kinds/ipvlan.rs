//! An IPVLAN: a link with the MAC address of its device.

use netlink_packet_route::link::InfoIpVlan;
use serde::{Deserialize, Serialize};

/// An IPVLAN. Its device is the `dev` of its [`LinkSpec`](crate::LinkSpec).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IpVlan {
    pub mode: IpVlanMode,
}

/// Where its packets are routed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpVlanMode {
    L2,
    /// The kernel's default.
    #[default]
    L3,
    /// As `L3`, with the device's netfilter hooks.
    L3S,
}

impl IpVlan {
    pub(crate) fn info(self) -> Vec<InfoIpVlan> {
        use netlink_packet_route::link::IpVlanMode as Mode;
        let mode = match self.mode {
            IpVlanMode::L2 => Mode::L2,
            IpVlanMode::L3 => Mode::L3,
            IpVlanMode::L3S => Mode::L3S,
        };
        vec![InfoIpVlan::Mode(mode)]
    }

    pub(crate) fn read(mut info: impl Iterator<Item = InfoIpVlan>) -> Self {
        use netlink_packet_route::link::IpVlanMode as Mode;
        let mode = info.find_map(|info| match info {
            InfoIpVlan::Mode(Mode::L2) => Some(IpVlanMode::L2),
            InfoIpVlan::Mode(Mode::L3S) => Some(IpVlanMode::L3S),
            _ => None,
        });
        Self { mode: mode.unwrap_or_default() }
    }
}
