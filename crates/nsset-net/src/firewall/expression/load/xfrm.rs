//! What IPsec did, or will do, with a packet.

use crate::firewall::expression::field::expression;

expression! {
    /// `number` is the position among the transformations.
    Xfrm = "xfrm" { 1 => target: u32, 2 => key: u32, 3 => direction: u8, 4 => number: Option<u32> }
}
