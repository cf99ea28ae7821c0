//! The sockets of a network: sock_diag(7).

mod filter;
mod inet;
mod socket;
mod sockets;
mod state;
mod unix;

pub use filter::SocketFilter;
pub use socket::{InetSocket, NetworkSocket, SocketEnd, SocketProtocol, UnixSocket, UnixSocketKind};
pub use sockets::SocketDiag;
pub use state::SocketState;
