//! Changes the destination address to that of the machine.

use crate::firewall::expression::field::expression;

expression! {
    Redir = "redir" { 1 => port: Option<u32>, 2 => last_port: Option<u32>, 3 => flags: Option<u32> }
}
