//! The route of a packet.

use crate::firewall::expression::field::expression;

expression! {
    Rt = "rt" { 1 => target: u32, 2 => key: u32 }
}
