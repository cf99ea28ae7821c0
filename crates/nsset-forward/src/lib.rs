//! Forwards connections and datagrams. A forwarding has two legs: it listens on one, and connects from the other to its
//! targets. The caller creates the sockets of both legs, so that each leg can be in a network namespace of its own.
//!
//! The bytes of a connection stay in the kernel (splice(2)). A datagram is copied once in each direction.
//!
//! Everything here runs on a [`tokio::task::LocalSet`].

mod async_socket;
mod connection;
mod counters;
mod datagrams;
mod exhaustion;
mod flow;
mod packet_info;
mod pipes;
mod stop;
mod stream;
mod target;

pub use connection::forward_connections;
pub use counters::{Counters, Statistics};
pub use datagrams::forward_datagrams;
pub use stop::{Stop, StopReceiver, stop};
pub use target::{Address, FindFile, MakeSocket, SocketFuture, Target};
