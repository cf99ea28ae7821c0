//! Answers the handshakes of TCP.

use crate::firewall::expression::field::expression;

expression! {
    Synproxy = "synproxy" { 1 => mss: Option<u16>, 2 => wscale: Option<u8>, 3 => flags: Option<u32> }
}
