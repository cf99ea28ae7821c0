//! `set`: changes a mark, a field of the packet, or the connection.

use serde::{Deserialize, Serialize};

use crate::firewall::matching::operand::Operand;

/// A new value: a constant, or the value of another selector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NewValue {
    Constant(Operand),
    Copy { from: String },
}
