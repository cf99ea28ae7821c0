//! Links: their properties, how they are created and changed. Each kind has its own file.

mod add;
mod bond;
mod bridge;
mod changes;
mod ensure;
mod geneve;
mod gre;
mod ipip;
mod ipvlan;
mod kept;
mod kind;
#[allow(clippy::module_inception)]
mod link;
mod links;
mod macvlan;
mod set;
mod spec;
mod statistics;
mod tun;
mod undo;
mod veth;
mod vlan;
mod vrf;
mod vxlan;

pub use bond::{Bond, BondMode};
pub use bridge::Bridge;
pub use changes::{LinkChanges, LinkState, Master};
pub use geneve::Geneve;
pub use gre::Gre;
pub use ipip::Ipip;
pub use ipvlan::{IpVlan, IpVlanMode};
pub use kind::LinkKind;
pub use link::{Link, LinkInOtherNetwork};
pub use links::Links;
pub use macvlan::{MacVlan, MacVlanMode};
pub use spec::LinkSpec;
pub use statistics::Statistics;
pub use tun::{Tun, TunMode};
pub use veth::VethPeer;
pub use vlan::{Vlan, VlanProtocol};
pub use vrf::Vrf;
pub use vxlan::Vxlan;
