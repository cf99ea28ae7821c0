//! Filters: which class a packet belongs to, and what is done with it (tc(8), "FILTERS" and "ACTIONS").

mod action;
mod action_kind;
#[allow(clippy::module_inception)]
mod filter;
mod filters;
mod flower;
mod kind;
mod parent;
mod protocol;
mod u32;
mod verdict;

pub use action::Action;
pub use action_kind::{ActionKind, Direction, MirredMode};
pub use filter::{Filter, FilterPlace, FilterSpec};
pub use filters::Filters;
pub use flower::Flower;
pub use kind::FilterKind;
pub use parent::FilterParent;
pub use protocol::Protocol;
pub use u32::{U32, U32Match};
pub use verdict::Verdict;
