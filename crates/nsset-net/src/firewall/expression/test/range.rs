//! Compares a register with two bounds, which are big-endian.

use crate::firewall::expression::field::expression;

expression! {
    /// The operation is `NFT_RANGE_EQ` (0) or `NFT_RANGE_NEQ` (1).
    Range = "range" { 1 => source: u32, 2 => operation: u32, 3 => from: Vec<u8>, 4 => to: Vec<u8> }
}
