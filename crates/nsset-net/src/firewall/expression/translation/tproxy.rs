//! Gives a packet to a local socket.

use crate::firewall::expression::field::expression;

expression! {
    Tproxy = "tproxy" { 1 => family: u32, 2 => address: Option<u32>, 3 => port: Option<u32> }
}
