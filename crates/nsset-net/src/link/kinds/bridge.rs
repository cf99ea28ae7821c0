//! A bridge: a switch, whose ports are the links that have it as their master.

use super::vlan::VlanProtocol;
use crate::netlink::{
    settings::settings,
    value::{Ticks, WideBool},
};

settings! {
    /// A bridge: `IFLA_BR_*` of linux/if_link.h. Fields that are left out have the kernel's default values.
    pub struct Bridge {
        /// How long a new port listens and learns before it forwards, also without the spanning tree protocol.
        forward_delay: Ticks = 1,
        hello_time: Ticks = 2,
        max_age: Ticks = 3,
        /// How long the bridge remembers a MAC address.
        ageing_time: Ticks = 4,
        /// Whether the bridge takes part in the spanning tree protocol.
        stp: WideBool = 5,
        /// The bridge with the lowest number becomes the root of the spanning tree.
        priority: u16 = 6,
        vlan_filtering: bool = 7,
        vlan_protocol: VlanProtocol = 8,
        /// The reserved multicast addresses 01:80:C2:00:00:0X whose frames it forwards, a bit for each.
        group_forward_mask: u16 = 9,
        multicast_router: u8 = 22,
        multicast_snooping: bool = 23,
        multicast_querier: bool = 25,
        /// The VLAN of untagged frames; 0 for none.
        vlan_default_pvid: u16 = 39,
        vlan_statistics: bool = 41,
        igmp_version: u8 = 43,
        mld_version: u8 = 44,
        /// The greatest number of learned forwarding entries; 0 for no limit.
        max_learned: u32 = 49,
    }
}
