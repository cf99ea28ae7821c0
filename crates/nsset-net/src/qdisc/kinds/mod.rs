//! The kinds of queueing discipline, and the options of each.

mod cake;
mod fq;
mod fq_codel;
mod htb;
mod kind;
mod netem;
mod prio;
mod sfq;
mod tbf;

pub use cake::{AckFilter, Cake, CakeLinkLayer, CakeStatistics, CakeTin, Diffserv, FlowIsolation};
pub use fq::{Fq, FqStatistics};
pub use fq_codel::{FqCodel, FqCodelStatistics};
pub use htb::Htb;
pub use kind::QdiscKind;
pub use netem::{LossModel, Netem, Slots};
pub use prio::Prio;
pub use sfq::Sfq;
pub use tbf::{Tbf, TbfLimit};
