//! Statements, of which a rule is a list: matches, and what happens to packets that match. One kind of statement, one file.

mod counter;
mod element;
mod lift;
mod log;
mod lower;
mod object;
mod queue;
mod reject;
mod send;
mod set;
mod synproxy;
mod translation;
mod written;

pub(crate) use counter::is_false;
pub use counter::{ConnectionCount, Limit, Quota, Unit};
pub use element::{ElementOf, ElementOperation, ElementValue, Own};
pub(crate) use lift::{Found, lift};
pub use log::Log;
pub(crate) use lower::lower;
pub use object::ObjectRef;
pub use queue::Queue;
pub use send::{Destination, Device};
pub use set::{Copied, NewValue};
pub use synproxy::Synproxy;
pub use translation::{Port, Target, Translation};
pub use written::Statement;
