//! Looks for a register in a set, and loads what a map has for it.

use crate::firewall::expression::field::expression;

/// `NFT_LOOKUP_F_INV`.
pub(crate) const INVERTED: u32 = 1;

expression! {
    Lookup = "lookup" {
        1 => set: String,
        2 => source: u32,
        3 => target: Option<u32>,
        4 => set_id: Option<u32>,
        5 => flags: Option<u32>,
    }
}
