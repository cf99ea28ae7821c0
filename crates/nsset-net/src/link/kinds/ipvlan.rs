//! An IPVLAN: a link with the MAC address of its device.

use crate::netlink::settings::{settings, words};

settings! {
    /// An IPVLAN: `IFLA_IPVLAN_*` of linux/if_link.h. Its device is the `dev` of its [`LinkSpec`](crate::LinkSpec).
    pub struct IpVlan {
        mode: IpVlanMode = 1,
        isolation: IpVlanIsolation = 2,
    }
}

words! {
    /// Where its packets are routed.
    pub enum IpVlanMode: u16 {
        L2 = 0 => "l2",
        /// The kernel's default.
        L3 = 1 => "l3",
        /// As `L3`, with the device's netfilter hooks.
        L3S = 2 => "l3s",
    }
}

words! {
    /// Which other IPVLANs of its device it reaches, for all of the device.
    pub enum IpVlanIsolation: u16 {
        /// All, directly. The kernel's default.
        Bridge = 0 => "bridge",
        None = 1 => "private",
        /// All, through an external switch.
        Vepa = 2 => "vepa",
    }
}

impl IpVlan {
    /// An unknown mode is listed as the default one.
    pub(super) fn read_with_mode(data: &[u8]) -> Self {
        let ipvlan = Self::read(data);
        Self { mode: ipvlan.mode.or(Some(IpVlanMode::L3)), ..ipvlan }
    }
}
