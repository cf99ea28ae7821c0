//! The other ends of links.

mod peer;
mod veth;

pub use peer::OtherEnd;
pub use veth::VethPeer;
