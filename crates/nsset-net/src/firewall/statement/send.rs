//! `dup` and `fwd`: where a packet, or a copy of it, is sent.

use serde::{Deserialize, Serialize};

use super::translation::Target;
use crate::firewall::matching::mapped::Mapped;

/// An address, a link, or both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Device {
    Index(u32),
    Mapped(Mapped),
}
