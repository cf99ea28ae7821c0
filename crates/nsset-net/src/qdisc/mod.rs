//! Queueing disciplines: what a link does with the packets that wait to leave through it. Each kind has its own file.

mod fq_codel;
mod handle;
mod htb;
mod kind;
mod netem;
mod options;
#[allow(clippy::module_inception)]
mod qdisc;
mod qdiscs;
pub(crate) mod rate_spec;
mod tbf;
mod ticks;

pub use fq_codel::FqCodel;
pub use handle::Handle;
pub use htb::Htb;
pub use kind::QdiscKind;
pub use netem::Netem;
pub use qdisc::{Qdisc, QdiscStatistics};
pub(crate) use qdiscs::tc_message;
pub use qdiscs::{QdiscPlace, QdiscSpec, Qdiscs};
pub use tbf::{Tbf, TbfLimit};
