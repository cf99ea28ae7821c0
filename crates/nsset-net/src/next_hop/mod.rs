//! Next hop objects, and groups of them, which many routes can share (ip-nexthop(8)).

mod message;
#[allow(clippy::module_inception)]
mod next_hop;
mod next_hops;

pub use next_hop::{GroupMember, GroupType, NextHopObject, NextHopObjectSpec, Resilience};
pub use next_hops::NextHops;
