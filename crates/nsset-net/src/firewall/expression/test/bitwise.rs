//! Masks the bits of a register, or shifts them.

use crate::firewall::expression::field::expression;

/// `NFT_BITWISE_LSHIFT`, `NFT_BITWISE_RSHIFT`.
pub(crate) const LEFT: u32 = 1;
pub(crate) const RIGHT: u32 = 2;

expression! {
    /// `source & mask ^ xor`, if there is no operation (`NFT_BITWISE_BOOL`). Otherwise it shifts by a number of the host.
    Bitwise = "bitwise" {
        1 => source: u32,
        2 => target: u32,
        3 => length: u32,
        4 => mask: Option<Vec<u8>>,
        5 => xor: Option<Vec<u8>>,
        6 => operation: Option<u32>,
        7 => shift: Option<Vec<u8>>,
    }
}
