//! The socket that gets a packet.

use crate::firewall::expression::field::expression;

expression! {
    /// `level` is that of the control group.
    Socket = "socket" { 1 => key: u32, 2 => target: u32, 3 => level: Option<u32> }
}
