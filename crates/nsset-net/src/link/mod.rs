//! Links: their properties, how they are created and changed. Each kind has its own file in `kinds`.

mod add;
mod alt_names;
mod changes;
mod creation;
mod elsewhere;
mod ends;
mod ensure;
mod filter;
mod kept;
mod kinds;
#[allow(clippy::module_inception)]
mod link;
mod links;
mod moves;
mod properties;
mod set;
mod spec;
mod undo;

pub use changes::{LinkChanges, LinkState, Master};
pub use ends::{OtherEnd, VethPeer};
pub use kinds::*;
pub use link::{Link, LinkInOtherNetwork};
pub use links::Links;
pub use properties::*;
pub use spec::LinkSpec;
