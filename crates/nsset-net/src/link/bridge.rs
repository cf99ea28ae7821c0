//! A bridge: a switch, whose ports are the links that have it as their master.

use std::time::Duration;

use netlink_packet_route::link::{BridgeStpState, InfoBridge};
use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use crate::milliseconds::Milliseconds;

/// A bridge. Fields that are left out have the kernel's default values.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Bridge {
    /// Whether the bridge takes part in the spanning tree protocol.
    pub stp: Option<bool>,
    /// How long a new port listens and learns before it forwards, also without the spanning tree protocol.
    #[serde_as(as = "Option<Milliseconds>")]
    pub forward_delay: Option<Duration>,
    #[serde_as(as = "Option<Milliseconds>")]
    pub hello_time: Option<Duration>,
    #[serde_as(as = "Option<Milliseconds>")]
    pub max_age: Option<Duration>,
    /// How long the bridge remembers a MAC address.
    #[serde_as(as = "Option<Milliseconds>")]
    pub ageing_time: Option<Duration>,
    /// The bridge with the lowest number becomes the root of the spanning tree.
    pub priority: Option<u16>,
    pub vlan_filtering: Option<bool>,
    /// The VLAN of untagged frames; 0 for none.
    pub vlan_default_pvid: Option<u16>,
    pub multicast_snooping: Option<bool>,
}

impl Bridge {
    pub(crate) fn info(&self) -> Vec<InfoBridge> {
        let stp = |on| if on { BridgeStpState::KernelStp } else { BridgeStpState::Disabled };
        [
            self.stp.map(|on| InfoBridge::StpState(stp(on))),
            self.forward_delay.map(|delay| InfoBridge::ForwardDelay(ticks(delay))),
            self.hello_time.map(|time| InfoBridge::HelloTime(ticks(time))),
            self.max_age.map(|age| InfoBridge::MaxAge(ticks(age))),
            self.ageing_time.map(|time| InfoBridge::AgeingTime(ticks(time))),
            self.priority.map(InfoBridge::Priority),
            self.vlan_filtering.map(InfoBridge::VlanFiltering),
            self.vlan_default_pvid.map(InfoBridge::VlanDefaultPvid),
            self.multicast_snooping.map(InfoBridge::MulticastSnooping),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub(crate) fn read(info: impl Iterator<Item = InfoBridge>) -> Self {
        let mut bridge = Self::default();
        for info in info {
            match info {
                InfoBridge::StpState(state) => bridge.stp = Some(state != BridgeStpState::Disabled),
                InfoBridge::ForwardDelay(delay) => bridge.forward_delay = Some(duration(delay)),
                InfoBridge::HelloTime(time) => bridge.hello_time = Some(duration(time)),
                InfoBridge::MaxAge(age) => bridge.max_age = Some(duration(age)),
                InfoBridge::AgeingTime(time) => bridge.ageing_time = Some(duration(time)),
                InfoBridge::Priority(priority) => bridge.priority = Some(priority),
                InfoBridge::VlanFiltering(on) => bridge.vlan_filtering = Some(on),
                InfoBridge::VlanDefaultPvid(vlan) => bridge.vlan_default_pvid = Some(vlan),
                InfoBridge::MulticastSnooping(on) => bridge.multicast_snooping = Some(on),
                _ => {}
            }
        }
        bridge
    }
}

/// Times are in `USER_HZ`, a hundredth of a second (time(7)).
fn ticks(time: Duration) -> u32 {
    u32::try_from(time.as_millis() / 10).unwrap_or(u32::MAX)
}

fn duration(ticks: u32) -> Duration {
    Duration::from_millis(10 * u64::from(ticks))
}
