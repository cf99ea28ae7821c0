//! The kinds of link that put packets or frames into others.

mod carrier;
mod encap;
mod geneve;
mod gre;
mod ip6gre;
mod ip6tnl;
mod ipip;
mod sit;
mod vti;
mod vxlan;
mod xfrm;

pub(super) use carrier::{carried_by, carrier_of};
pub use encap::{Flag, TunnelEncap, TunnelEncapFlag};
pub use geneve::Geneve;
pub use gre::Gre;
pub use ip6gre::Ip6Gre;
pub use ip6tnl::{Ip6Tnl, Ip6TnlFlag, Ip6TnlMode};
pub use ipip::{Ipip, IpipMode};
pub use sit::{Sit, SitMode};
pub use vti::{Vti, Vti6};
pub use vxlan::Vxlan;
pub use xfrm::Xfrm;
