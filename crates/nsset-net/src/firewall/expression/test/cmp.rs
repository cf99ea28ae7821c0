//! Compares a register with a constant.

use crate::firewall::expression::field::expression;

/// `NFT_CMP_*`.
pub(crate) const EQUAL: u32 = 0;
pub(crate) const NOT_EQUAL: u32 = 1;
pub(crate) const LESS: u32 = 2;
pub(crate) const LESS_OR_EQUAL: u32 = 3;
pub(crate) const GREATER: u32 = 4;
pub(crate) const GREATER_OR_EQUAL: u32 = 5;

expression! {
    Cmp = "cmp" { 1 => source: u32, 2 => operation: u32, 3 => data: Vec<u8> }
}
