//! Compares the number of connections.

use crate::firewall::expression::field::expression;

/// `NFT_CONNLIMIT_F_INV`: matches above the number.
pub(crate) const OVER: u32 = 1;

expression! {
    Connlimit = "connlimit" { 1 => count: u32, 2 => flags: Option<u32> }
}
