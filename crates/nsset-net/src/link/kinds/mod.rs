//! The kinds of link, and the settings of each.

mod bond;
mod bridge;
mod ipvlan;
mod kind;
mod macsec;
mod macvlan;
mod netkit;
pub(super) mod tun;
mod tunnels;
mod vlan;
mod vrf;

pub use bond::*;
pub use bridge::Bridge;
pub use ipvlan::{IpVlan, IpVlanIsolation, IpVlanMode};
pub use kind::LinkKind;
pub use macsec::{Macsec, MacsecCipher, MacsecOffload, MacsecValidation};
pub use macvlan::{MacVlan, MacVlanFlag, MacVlanMode, SourceMacs};
pub use netkit::{Netkit, NetkitMode, NetkitPolicy, NetkitScrub};
pub use tun::{Tun, TunMode};
pub use tunnels::*;
pub use vlan::{PriorityMap, PriorityMapping, Vlan, VlanFlag, VlanFlags, VlanProtocol};
pub use vrf::Vrf;
