//! When entries were used: `struct nda_cacheinfo` of linux/neighbour.h.

use std::time::Duration;

use serde::Serialize;
use serde_with::serde_as;

use crate::{
    milliseconds::Milliseconds,
    netlink::attributes::{Malformed, u32_at},
};

/// What the kernel counts of a neighbour.
#[serde_as]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NeighbourStatistics {
    /// The time since its address was last confirmed.
    #[serde_as(as = "Milliseconds")]
    pub confirmed: Duration,
    /// The time since a packet was last sent to it.
    #[serde_as(as = "Milliseconds")]
    pub used: Duration,
    /// The time since its state last changed.
    #[serde_as(as = "Milliseconds")]
    pub updated: Duration,
    /// How many requests for its address were not answered.
    pub probes: u32,
}

/// What the kernel counts of a forwarding entry.
#[serde_as]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ForwardingStatistics {
    /// The time since a frame was last forwarded to it.
    #[serde_as(as = "Milliseconds")]
    pub used: Duration,
    /// The time since it was learned or changed.
    #[serde_as(as = "Milliseconds")]
    pub updated: Duration,
}

impl NeighbourStatistics {
    pub(super) fn take_cache_info(&mut self, value: &[u8]) -> Result<(), Malformed> {
        self.confirmed = time(value, 0)?;
        self.used = time(value, 4)?;
        self.updated = time(value, 8)?;
        Ok(())
    }
}

impl ForwardingStatistics {
    pub(super) fn read(value: &[u8]) -> Result<Self, Malformed> {
        Ok(Self { used: time(value, 4)?, updated: time(value, 8)? })
    }
}

/// Reads a time in hundredths of a second (`USER_HZ`).
fn time(value: &[u8], offset: usize) -> Result<Duration, Malformed> {
    u32_at(value, offset).map(|hundredths| Duration::from_millis(10 * u64::from(hundredths)))
}
