//! `set`: changes a mark, a field of the packet, or the connection.

use serde::{Deserialize, Serialize};

use crate::firewall::matching::{mapped::Mapped, operand::Operand};

/// A new value: a constant, the value of another selector, or what a map has for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NewValue {
    Constant(Operand),
    Copy(Copied),
    Mapped(Mapped),
}

/// The value of a selector, of which bits are changed in this order, or which is shifted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    pub from: String,
    /// The bits that stay.
    #[serde(rename = "&", skip_serializing_if = "Option::is_none")]
    pub kept: Option<u64>,
    /// The bits that are inverted.
    #[serde(rename = "^", skip_serializing_if = "Option::is_none")]
    pub inverted: Option<u64>,
    /// The bits that are set.
    #[serde(rename = "|", skip_serializing_if = "Option::is_none")]
    pub set: Option<u64>,
    #[serde(rename = "<<", skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
    #[serde(rename = ">>", skip_serializing_if = "Option::is_none")]
    pub right: Option<u32>,
}

impl Copied {
    /// Whether the value is changed on the way.
    pub(crate) fn is_changed(&self) -> bool {
        self.has_bits() || self.left.is_some() || self.right.is_some()
    }

    pub(crate) fn has_bits(&self) -> bool {
        self.kept.is_some() || self.inverted.is_some() || self.set.is_some()
    }

    /// Returns the bits to keep, and then those to invert, of a value with these bits.
    pub(crate) fn bits(&self, all: u64) -> (u64, u64) {
        let set = self.set.unwrap_or(0);
        (self.kept.unwrap_or(all) & !set & all, self.inverted.unwrap_or(0) | set)
    }

    /// Reads which bits are kept and inverted of a value with these bits.
    pub(crate) fn of_bits(from: String, kept: u64, inverted: u64, all: u64) -> Self {
        let (set, inverted) = (inverted & !kept, inverted & kept);
        Self {
            from,
            kept: Some(kept).filter(|kept| *kept | set != all),
            inverted: Some(inverted).filter(|inverted| *inverted != 0),
            set: Some(set).filter(|set| *set != 0),
            ..Self::default()
        }
    }
}
