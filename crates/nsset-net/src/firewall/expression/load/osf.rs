//! The operating system that the first packet of a connection looks like.

use crate::firewall::expression::field::expression;

expression! {
    Osf = "osf" { 1 => target: u32, 2 => ttl: Option<u8>, 3 => flags: Option<u32> }
}
