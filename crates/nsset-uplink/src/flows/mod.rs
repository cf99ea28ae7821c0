//! The flows of an uplink: connections, datagrams, and echo requests.

mod connecting;
mod connection;
mod datagrams;
mod echoes;
mod flow;
mod host_stream;
mod marks;
mod path_mtu;
mod permission;

pub use connection::Connection;
pub use datagrams::{Datagram, Datagrams};
pub use echoes::Echoes;
pub use flow::{Flow, FlowReport, Key};
