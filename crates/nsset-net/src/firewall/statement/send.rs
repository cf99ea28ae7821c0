//! `dup` and `fwd`: where a packet, or a copy of it, is sent.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// An address, a link, or both. Links are given by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<u32>,
}
