//! What links of every kind have beside their names and addresses.

mod operational;
mod port;
mod statistics;
mod tuning;

pub use operational::OperationalState;
pub use port::{BondPort, BondPortState, BridgePort, BridgePortState, Port};
pub use statistics::Statistics;
pub use tuning::Tuning;
