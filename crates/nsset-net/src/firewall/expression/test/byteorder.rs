//! Changes the order of bytes: bounds are compared in the order of the network.

use crate::firewall::expression::field::expression;

/// `NFT_BYTEORDER_HTON`.
pub(crate) const TO_NETWORK: u32 = 1;

expression! {
    Byteorder = "byteorder" { 1 => source: u32, 2 => target: u32, 3 => operation: u32, 4 => length: u32, 5 => size: u32 }
}
