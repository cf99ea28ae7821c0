//! Reads and writes packets.

pub mod arriving;
pub mod echo;
pub mod internet;
pub mod neighbours;
pub mod unreachable;
pub mod virtio;
