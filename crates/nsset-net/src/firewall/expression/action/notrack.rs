//! Leaves a packet out of connection tracking.

use crate::firewall::expression::field::expression;

expression! {
    Notrack = "notrack" { 1 => unused: Option<u32> }
}
