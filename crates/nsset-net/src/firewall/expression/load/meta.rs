//! What the kernel knows about a packet beside its bytes.

use crate::firewall::expression::field::expression;

expression! {
    /// Loads into `target`, or sets from `source`.
    Meta = "meta" { 1 => target: Option<u32>, 2 => key: u32, 3 => source: Option<u32> }
}
