//! The kinds of link that put packets or frames into others.

mod carrier;
mod dont_fragment;
mod encap;
mod geneve;
mod gre;
mod ip6gre;
mod ip6tnl;
mod ipip;
mod keyed;
mod sit;
mod vti;
mod vxlan;
mod vxlan_options;
mod xfrm;

pub(super) use carrier::{carried_by, carrier_of};
pub use dont_fragment::DontFragment;
pub use encap::{Flag, TunnelEncap, TunnelEncapFlag};
pub use geneve::{Geneve, GeneveOptions};
pub use gre::{Gre, GreTunnel};
pub use ip6gre::{Ip6Gre, Ip6GreTunnel};
pub use ip6tnl::{Ip6Tnl, Ip6TnlFlag, Ip6TnlMode};
pub use ipip::{Ipip, IpipMode};
pub use keyed::{Keyed, Way, Ways};
pub use sit::{Sit, SitMode, SitTunnel};
pub use vti::{Vti, Vti6};
pub use vxlan::Vxlan;
pub use vxlan_options::{SourcePorts, VxlanOptions};
pub use xfrm::Xfrm;
