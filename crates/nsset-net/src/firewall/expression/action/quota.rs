//! Matches until, or after, a number of bytes.

use crate::firewall::expression::field::expression;

/// `NFT_QUOTA_F_INV`.
pub(crate) const OVER: u32 = 1;

expression! {
    Quota = "quota" { 1 => bytes: u64, 2 => flags: u32, 4 => consumed: Option<u64> }
}
