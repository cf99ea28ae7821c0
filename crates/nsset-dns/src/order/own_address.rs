//! An address of the network that asks.

use std::net::IpAddr;

/// An address of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnAddress {
    pub address: IpAddr,
    pub prefix: u8,
    /// Nothing new may be sent from it.
    pub deprecated: bool,
}
