//! The packets of a block, in their order.

use super::{
    numbers::u32_at,
    packet::{self, Packet},
};

/// `struct tpacket_hdr_v1`
const COUNT: usize = 12;
const OFFSET_OF_FIRST: usize = 16;

/// The packets of a block.
pub struct Packets<'block> {
    block: &'block [u8],
    offset: usize,
    left: u32,
}

impl<'block> Packets<'block> {
    /// The packets of a block, which begins with a `struct tpacket_block_desc`.
    pub fn of_block(block: &'block [u8]) -> Self {
        let left = u32_at(block, COUNT).unwrap_or(0);
        let offset = u32_at(block, OFFSET_OF_FIRST).unwrap_or(0) as usize;
        Self { block, offset, left }
    }
}

impl<'block> Iterator for Packets<'block> {
    type Item = Packet<'block>;

    fn next(&mut self) -> Option<Packet<'block>> {
        self.left = self.left.checked_sub(1)?;
        let rest = self.block.get(self.offset..)?;
        self.offset += packet::distance_to_next(rest)? as usize;
        Packet::read(rest)
    }
}
