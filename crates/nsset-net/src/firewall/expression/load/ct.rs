//! The connection of a packet.

use crate::firewall::expression::field::expression;

expression! {
    /// Loads into `target`, or sets from `source`.
    Ct = "ct" { 1 => target: Option<u32>, 2 => key: u32, 3 => direction: Option<u8>, 4 => source: Option<u32> }
}
