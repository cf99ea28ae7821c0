//! Masks the bits of a register.

use crate::firewall::expression::field::expression;

expression! {
    /// `source & mask ^ xor`, if there is no operation (`NFT_BITWISE_BOOL`).
    Bitwise = "bitwise" {
        1 => source: u32,
        2 => target: u32,
        3 => length: u32,
        4 => mask: Option<Vec<u8>>,
        5 => xor: Option<Vec<u8>>,
        6 => operation: Option<u32>,
    }
}
