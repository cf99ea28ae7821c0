//! The connections that the kernel tracks: conntrack(8), over ctnetlink.

mod connection;
#[expect(clippy::module_inception, reason = "the operations, as in the other parts of a network")]
mod conntrack;
mod filter;
mod message;
mod protocol;
mod state;
mod statistics;
mod status;

pub use connection::{ConnectionDirection, ConnectionEnd, ConnectionIcmp, ConnectionRef, TrackedConnection};
pub use conntrack::Conntrack;
pub use filter::{ConnectionFilter, MarkFilter};
pub use protocol::TrackedProtocol;
pub use state::ConnectionState;
pub use statistics::ConntrackStatistics;
pub use status::ConnectionStatus;

pub(crate) use message::{SUBSYSTEM, read};
