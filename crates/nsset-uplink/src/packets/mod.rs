//! Reads and writes packets.

pub mod arriving;
pub mod begun;
pub mod echo;
pub mod fragments;
pub mod icmp_error;
pub mod internet;
pub mod neighbours;
pub mod traffic_class;
pub mod virtio;
