//! Passes a packet to a program.

use crate::firewall::expression::field::expression;

expression! {
    Queue = "queue" { 1 => number: Option<u16>, 2 => total: Option<u16>, 3 => flags: Option<u16>, 4 => source: Option<u32> }
}
