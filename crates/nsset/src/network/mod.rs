//! Sockets and sysctls of the network of a set.

pub mod socket;
pub mod sysctl;
