//! Writes a packet to the log.

use crate::firewall::expression::field::expression;

expression! {
    Log = "log" {
        1 => group: Option<u16>,
        2 => prefix: Option<String>,
        3 => snap_length: Option<u32>,
        4 => threshold: Option<u16>,
        5 => level: Option<u32>,
        6 => flags: Option<u32>,
    }
}
