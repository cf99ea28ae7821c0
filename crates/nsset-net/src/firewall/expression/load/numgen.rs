//! Numbers: the next one, or one at random.

use crate::firewall::expression::field::expression;

/// `NFT_NG_*`.
pub(crate) const INCREMENTAL: u32 = 0;
pub(crate) const RANDOM: u32 = 1;

expression! {
    Numgen = "numgen" { 1 => target: u32, 2 => modulus: u32, 3 => kind: u32, 4 => offset: Option<u32> }
}
