//! Objects of the table that a rule uses.

use serde::{Deserialize, Serialize};

use crate::firewall::matching::mapped::Mapped;

/// An object by its name, or by what a map has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ObjectRef {
    Named(String),
    Mapped(Mapped),
}
