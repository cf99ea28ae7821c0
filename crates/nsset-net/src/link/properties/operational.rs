//! The operational state of a link.

use serde::Serialize;

use crate::netlink::attributes::{Malformed, u8_at};

/// The state of a link as RFC 2863 defines it: `IF_OPER_*` of linux/if.h.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationalState {
    /// The driver does not say.
    #[default]
    Unknown,
    NotPresent,
    Down,
    LowerLayerDown,
    Testing,
    Dormant,
    Up,
}

impl OperationalState {
    pub(crate) fn read(value: &[u8]) -> Result<Self, Malformed> {
        Ok(match u8_at(value, 0)? {
            1 => Self::NotPresent,
            2 => Self::Down,
            3 => Self::LowerLayerDown,
            4 => Self::Testing,
            5 => Self::Dormant,
            6 => Self::Up,
            _ => Self::Unknown,
        })
    }
}
