//! Classes of queueing disciplines: each has a share of the rate, and packets that wait for it (tc(8), "CLASSES").

#[allow(clippy::module_inception)]
mod class;
mod classes;
mod htb;
mod kind;

pub use class::{Class, ClassSpec, ClassStatistics};
pub use classes::Classes;
pub use htb::HtbClass;
pub use kind::ClassKind;
