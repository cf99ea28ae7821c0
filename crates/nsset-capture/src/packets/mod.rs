//! Packets in a block of the ring.

mod in_block;
mod numbers;
mod packet;

pub use in_block::Packets;
pub use packet::{Packet, Tag};
