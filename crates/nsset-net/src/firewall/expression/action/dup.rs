//! Sends a copy of a packet.

use crate::firewall::expression::field::expression;

expression! {
    Dup = "dup" { 1 => address: Option<u32>, 2 => device: Option<u32> }
}
