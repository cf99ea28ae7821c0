//! The counters of queueing disciplines and classes.

use serde::Serialize;

use super::kinds::{CakeStatistics, FqCodelStatistics, FqStatistics};
use crate::netlink::attributes::{Attributes, Malformed, u32_at, u64_at};

/// The counters of a queueing discipline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QdiscStatistics {
    pub bytes: u64,
    pub packets: u64,
    /// The number of waiting packets.
    pub queued: u32,
    /// The number of waiting bytes.
    pub backlog: u32,
    pub dropped: u32,
    /// How often a packet had to wait because of a limit.
    pub over_limits: u32,
    pub requeued: u32,
}

/// The counters that only some kinds have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum KindStatistics {
    Cake(CakeStatistics),
    Fq(FqStatistics),
    FqCodel(FqCodelStatistics),
}

/// `TCA_STATS2`, and within it `TCA_STATS_*` of linux/gen_stats.h.
const STATS_BASIC: u16 = 1;
const STATS_QUEUE: u16 = 3;
/// Those of the kind.
const STATS_APP: u16 = 4;
const STATS_PACKETS64: u16 = 8;

impl QdiscStatistics {
    pub(crate) fn read(value: &[u8]) -> Result<Self, Malformed> {
        let mut statistics = Self::default();
        for attribute in Attributes::within(value) {
            let (kind, value) = attribute?;
            match kind {
                STATS_BASIC => {
                    statistics.bytes = u64_at(value, 0)?;
                    statistics.packets = u32_at(value, 8)?.into();
                }
                STATS_PACKETS64 => statistics.packets = u64_at(value, 0)?,
                STATS_QUEUE => {
                    statistics.queued = u32_at(value, 0)?;
                    statistics.backlog = u32_at(value, 4)?;
                    statistics.dropped = u32_at(value, 8)?;
                    statistics.requeued = u32_at(value, 12)?;
                    statistics.over_limits = u32_at(value, 16)?;
                }
                _ => {}
            }
        }
        Ok(statistics)
    }
}

impl KindStatistics {
    /// Reads the counters of a kind, if it has any.
    pub(crate) fn read(kind: &str, value: &[u8]) -> Result<Option<Self>, Malformed> {
        let app = Attributes::within(value).flatten().find(|(number, _)| *number == STATS_APP);
        let Some((_, value)) = app else { return Ok(None) };
        match kind {
            "cake" => Ok(Some(Self::Cake(CakeStatistics::read(value)))),
            "fq" => FqStatistics::read(value).map(Self::Fq).map(Some),
            "fq_codel" => FqCodelStatistics::read(value).map(Self::FqCodel).map(Some),
            _ => Ok(None),
        }
    }
}
