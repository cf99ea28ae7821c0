//! The kinds of link, and the settings of each.

mod bond;
mod bridge;
mod geneve;
mod gre;
mod ipip;
mod ipvlan;
mod kind;
mod macvlan;
pub(super) mod tun;
mod vlan;
mod vrf;
mod vxlan;

pub use bond::*;
pub use bridge::Bridge;
pub use geneve::Geneve;
pub use gre::Gre;
pub use ipip::Ipip;
pub use ipvlan::{IpVlan, IpVlanMode};
pub use kind::LinkKind;
pub use macvlan::{MacVlan, MacVlanMode};
pub use tun::{Tun, TunMode};
pub use vlan::{Vlan, VlanProtocol};
pub use vrf::Vrf;
pub use vxlan::Vxlan;
