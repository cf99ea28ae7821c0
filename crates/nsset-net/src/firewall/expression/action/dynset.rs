//! Adds, renews or deletes an element of a set.

use crate::firewall::expression::field::{Nested, expression};

/// `NFT_DYNSET_OP_*`.
pub(crate) const ADD: u32 = 0;
pub(crate) const UPDATE: u32 = 1;
pub(crate) const DELETE: u32 = 2;
/// `NFT_DYNSET_F_EXPR`: there are several expressions.
pub(crate) const SEVERAL: u32 = 2;

expression! {
    /// `key` and `data` are registers, and the time is in milliseconds. An element can have an expression of its own, or several.
    Dynset = "dynset" {
        1 => set: String,
        2 => set_id: Option<u32>,
        3 => operation: u32,
        4 => key: u32,
        5 => data: Option<u32>,
        6 => timeout: Option<u64>,
        7 => one: Option<Nested>,
        9 => flags: Option<u32>,
        10 => several: Option<Nested>,
    }
}
