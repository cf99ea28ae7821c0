//! Sockets and sysctls of a set's network.

pub mod socket;
pub mod sysctl;
