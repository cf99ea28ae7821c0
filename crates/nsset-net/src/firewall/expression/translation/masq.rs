//! Changes the source address to that of the link.

use crate::firewall::expression::field::expression;

expression! {
    Masq = "masq" { 1 => flags: Option<u32>, 2 => port: Option<u32>, 3 => last_port: Option<u32> }
}
