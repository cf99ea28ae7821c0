//! What a link has as the port of a bridge or a bond.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    error::{Error, Result},
    netlink::settings::{settings, words},
};

settings! {
    /// The port of a bridge: `IFLA_BRPORT_*` of linux/if_link.h.
    pub struct BridgePort {
        state: BridgePortState = 1,
        priority: u16 = 2,
        /// The cost of the path in the spanning tree.
        cost: u32 = 3,
        /// Whether frames may leave by the port that they came in by.
        hairpin: bool = 4,
        /// Whether messages of the spanning tree protocol are dropped.
        guard: bool = 5,
        /// Whether the port can never become the root port.
        root_block: bool = 6,
        fast_leave: bool = 7,
        learning: bool = 8,
        /// Whether frames to unknown addresses leave by this port.
        flood: bool = 9,
        proxy_arp: bool = 10,
        proxy_arp_wifi: bool = 12,
        multicast_router: u8 = 25,
        multicast_flood: bool = 27,
        multicast_to_unicast: bool = 28,
        vlan_tunnel: bool = 29,
        broadcast_flood: bool = 30,
        group_forward_mask: u16 = 31,
        /// Whether the bridge answers ARP and neighbour solicitations itself.
        neighbour_suppression: bool = 32,
        /// Whether it exchanges frames only with ports that are not isolated.
        isolated: bool = 33,
        /// Whether frames from unknown addresses are dropped.
        locked: bool = 39,
        neighbour_vlan_suppression: bool = 43,
    }
}

settings! {
    /// The port of a bond: `IFLA_BOND_SLAVE_*` of linux/if_link.h.
    pub struct BondPort {
        state: BondPortState = 1,
        queue_id: u16 = 5,
        /// The port with the greatest one becomes the active one.
        priority: i32 = 9,
    }
}

words! {
    /// What the port of a bridge does now: `BR_STATE_*` of linux/if_bridge.h.
    pub enum BridgePortState: u8 {
        Disabled = 0 => "disabled",
        Listening = 1 => "listening",
        Learning = 2 => "learning",
        Forwarding = 3 => "forwarding",
        Blocking = 4 => "blocking",
    }
}

words! {
    /// What the port of a bond does now: `BOND_STATE_*` of linux/if_bonding.h.
    pub enum BondPortState: u8 {
        Active = 0 => "active",
        Backup = 1 => "backup",
    }
}

/// A link as the port of its master, which is a bridge or a bond.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Port {
    pub bridge_port: Option<BridgePort>,
    pub bond_port: Option<BondPort>,
}

impl Port {
    /// Reads the settings of the port of a master of this kind.
    pub(crate) fn read(kind: &str, data: &[u8]) -> Self {
        match kind {
            "bridge" => Self { bridge_port: Some(BridgePort::read(data)), bond_port: None },
            "bond" => Self { bridge_port: None, bond_port: Some(BondPort::read(data)) },
            _ => Self::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bridge_port.is_none() && self.bond_port.is_none()
    }

    /// Returns the attributes for a port of a master of this kind.
    pub(crate) fn bytes_for(&self, kind: Option<&str>) -> Result<Vec<u8>> {
        let refused = |what: &str| {
            let master = kind.map_or("has no master".into(), |kind| format!("is the port of a {kind}"));
            Err(Error::InvalidArgument(format!("'{what}' cannot be set, because the link {master}")))
        };
        match (&self.bridge_port, &self.bond_port) {
            (Some(_), _) if kind != Some("bridge") => refused("bridgePort"),
            (_, Some(_)) if kind != Some("bond") => refused("bondPort"),
            (Some(port), _) => Ok(port.bytes()),
            (_, Some(port)) => Ok(port.bytes()),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// Returns all settings, without what the master decides.
    pub(crate) fn without_state(&self) -> Self {
        Self {
            bridge_port: self.bridge_port.clone().map(|port| BridgePort { state: None, ..port }),
            bond_port: self.bond_port.clone().map(|port| BondPort { state: None, ..port }),
        }
    }

    /// Returns the settings that are also given in `other`.
    pub(crate) fn of_those_in(&self, other: &Self) -> Self {
        fn both<T>(own: Option<&T>, other: Option<&T>, pick: impl Fn(&T, &T) -> T) -> Option<T> {
            own.zip(other).map(|(own, other)| pick(own, other))
        }
        Self {
            bridge_port: both(self.bridge_port.as_ref(), other.bridge_port.as_ref(), BridgePort::of_those_in),
            bond_port: both(self.bond_port.as_ref(), other.bond_port.as_ref(), BondPort::of_those_in),
        }
    }
}
