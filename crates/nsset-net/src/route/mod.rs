//! Routes: their properties, how they are added and deleted.

mod dump_merge;
mod encap;
mod encap_kind;
mod encap_meaning;
mod gateway;
mod kind;
mod lookup;
mod metrics;
mod next_hop;
mod preference;
mod realm;
#[allow(clippy::module_inception)]
mod route;
mod routes;
mod spec;

pub use encap::Encap;
pub(crate) use encap::Parts as EncapParts;
pub use encap_kind::EncapKind;
pub use encap_meaning::{Meaning, Seg6Mode};
pub use kind::RouteKind;
pub use lookup::RouteLookup;
pub use metrics::Metrics;
pub use next_hop::{NextHop, NextHopSpec};
pub use preference::Preference;
pub use route::Route;
pub use routes::Routes;
pub use spec::RouteSpec;

// `RTA_*` of linux/rtnetlink.h that libc does not have.
const RTA_VIA: u16 = 18;
const RTA_PREF: u16 = 20;
const RTA_ENCAP_TYPE: u16 = 21;
const RTA_ENCAP: u16 = 22;
const RTA_NH_ID: u16 = 30;

/// `RTNH_F_ONLINK` of linux/rtnetlink.h, among the flags of a route and of a next hop.
const ON_LINK: u32 = 4;
