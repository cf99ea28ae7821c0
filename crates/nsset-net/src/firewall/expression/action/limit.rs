//! Matches up to, or over, a rate.

use crate::firewall::expression::field::expression;

/// `NFT_LIMIT_PKT_BYTES`.
pub(crate) const BYTES: u32 = 1;
/// `NFT_LIMIT_F_INV`.
pub(crate) const OVER: u32 = 1;

expression! {
    Limit = "limit" {
        1 => rate: u64,
        /// In seconds.
        2 => unit: u64,
        3 => burst: u32,
        4 => kind: u32,
        5 => flags: u32,
    }
}
