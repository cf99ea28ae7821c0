//! A hash: of registers, or the one that the kernel has for the connection.

use crate::firewall::expression::field::expression;

/// `NFT_HASH_*`.
pub(crate) const JENKINS: u32 = 0;
pub(crate) const SYMMETRIC: u32 = 1;

expression! {
    Hash = "hash" {
        1 => source: Option<u32>,
        2 => target: u32,
        3 => length: Option<u32>,
        4 => modulus: u32,
        5 => seed: Option<u32>,
        6 => offset: Option<u32>,
        7 => kind: Option<u32>,
    }
}
