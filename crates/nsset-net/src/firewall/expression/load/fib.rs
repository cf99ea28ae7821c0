//! What the routing table says about the addresses of a packet.

use crate::firewall::expression::field::expression;

expression! {
    /// Asks for `result` with the addresses and links in `flags`.
    Fib = "fib" { 1 => target: u32, 2 => result: u32, 3 => flags: u32 }
}
