//! The addresses of the network in which the resolver's sockets are.

use std::net::IpAddr;

/// An address of a link in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnAddress {
    pub address: IpAddr,
    pub prefix: u8,
    /// Whether new connections should not use it as their source.
    pub deprecated: bool,
}
