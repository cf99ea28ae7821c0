//! A queueing discipline, as the kernel describes it.

use serde::Serialize;

use super::{handle::Handle, kind::QdiscKind};
use crate::{
    link_ref,
    netlink::attributes::{Attributes, Malformed, text, u32_at, u64_at},
};

/// A queueing discipline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Qdisc {
    /// The index of the link.
    #[serde(serialize_with = "link_ref::index")]
    pub link: u32,
    #[serde(flatten)]
    pub kind: QdiscKind,
    pub handle: Handle,
    /// The parent: [`Handle::ROOT`], or a class of another queueing discipline.
    pub parent: Handle,
    pub statistics: QdiscStatistics,
}

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

/// `struct tcmsg` of rtnetlink(7).
const HEADER: usize = 20;

/// `TCA_STATS2`, and within it `TCA_STATS_*` of linux/gen_stats.h.
const STATS_BASIC: u16 = 1;
const STATS_QUEUE: u16 = 3;
const STATS_PACKETS64: u16 = 8;

impl Qdisc {
    /// Reads the body of an `RTM_NEWQDISC`.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut name = String::new();
        let mut options: &[u8] = &[];
        let mut statistics = QdiscStatistics::default();
        for attribute in Attributes::behind(HEADER, message)? {
            match attribute? {
                (libc::TCA_KIND, value) => name = text(value),
                (libc::TCA_OPTIONS, value) => options = value,
                (libc::TCA_STATS2, value) => statistics = QdiscStatistics::read(value)?,
                _ => {}
            }
        }
        Ok(Self {
            link: u32_at(message, 4)?,
            kind: QdiscKind::read(name, options),
            handle: Handle::from_u32(u32_at(message, 8)?),
            parent: Handle::from_u32(u32_at(message, 12)?),
            statistics,
        })
    }
}

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
