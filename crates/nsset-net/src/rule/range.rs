//! Ranges of ports and users, which include both ends.

use serde::{Deserialize, Serialize};

use crate::netlink::attributes::{Malformed, u16_at, u32_at};

/// `struct fib_rule_port_range` of linux/fib_rules.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRange {
    pub start: u16,
    pub end: u16,
}

/// `struct fib_rule_uid_range` of linux/fib_rules.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UidRange {
    pub start: u32,
    pub end: u32,
}

impl PortRange {
    pub(super) fn read(value: &[u8]) -> Result<Self, Malformed> {
        Ok(Self { start: u16_at(value, 0)?, end: u16_at(value, 2)? })
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        [self.start, self.end].into_iter().flat_map(u16::to_ne_bytes).collect()
    }
}

impl UidRange {
    pub(super) fn read(value: &[u8]) -> Result<Self, Malformed> {
        Ok(Self { start: u32_at(value, 0)?, end: u32_at(value, 4)? })
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        [self.start, self.end].into_iter().flat_map(u32::to_ne_bytes).collect()
    }
}
