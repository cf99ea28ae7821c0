//! Queueing disciplines: what a link does with the packets that wait to leave through it. Each kind has its own file.

mod handle;
mod kinds;
mod options;
#[allow(clippy::module_inception)]
mod qdisc;
mod qdiscs;
pub(crate) mod rate_spec;
mod statistics;
mod ticks;

pub use handle::Handle;
pub use kinds::*;
pub use qdisc::{Qdisc, QdiscCounters};
pub(crate) use qdiscs::tc_message;
pub use qdiscs::{QdiscPlace, QdiscSpec, Qdiscs};
pub use statistics::{KindStatistics, QdiscStatistics};
