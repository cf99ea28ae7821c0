//! Sends a packet through another link.

use crate::firewall::expression::field::expression;

expression! {
    Fwd = "fwd" { 1 => device: u32, 2 => address: Option<u32>, 3 => family: Option<u32> }
}
