//! Counts packets.

use crate::firewall::expression::field::expression;

expression! {
    Counter = "counter" { 1 => bytes: u64, 2 => packets: u64 }
}
