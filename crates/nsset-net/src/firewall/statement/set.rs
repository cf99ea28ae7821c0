//! `set`: changes a mark, a field of the packet, or the connection.

use serde::{Deserialize, Serialize};

use crate::firewall::matching::{mapped::Mapped, operand::Operand};

/// A new value: a constant, the value of another selector, or what a map has for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NewValue {
    Constant(Operand),
    Copy { from: String },
    Mapped(Mapped),
}
