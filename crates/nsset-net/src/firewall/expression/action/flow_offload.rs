//! Adds the connection to a flow table.

use crate::firewall::expression::field::expression;

expression! {
    FlowOffload = "flow_offload" { 1 => table: String }
}
