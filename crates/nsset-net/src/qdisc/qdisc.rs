//! A queueing discipline, as the kernel describes it.

use serde::Serialize;

use super::{
    handle::Handle,
    kinds::QdiscKind,
    statistics::{KindStatistics, QdiscStatistics},
};
use crate::{
    link_ref,
    netlink::attributes::{Attributes, Malformed, text, u32_at},
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
    pub statistics: QdiscCounters,
}

/// The counters of a queueing discipline, and those of its kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QdiscCounters {
    #[serde(flatten)]
    pub basic: QdiscStatistics,
    #[serde(flatten)]
    pub of_kind: Option<KindStatistics>,
}

/// `struct tcmsg` of rtnetlink(7).
const HEADER: usize = 20;

impl Qdisc {
    /// Reads the body of an `RTM_NEWQDISC`.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut name = String::new();
        let mut options: &[u8] = &[];
        let mut counters: &[u8] = &[];
        for attribute in Attributes::behind(HEADER, message)? {
            match attribute? {
                (libc::TCA_KIND, value) => name = text(value),
                (libc::TCA_OPTIONS, value) => options = value,
                (libc::TCA_STATS2, value) => counters = value,
                _ => {}
            }
        }
        let of_kind = KindStatistics::read(&name, counters)?;
        Ok(Self {
            link: u32_at(message, 4)?,
            kind: QdiscKind::read(name, options),
            handle: Handle::from_u32(u32_at(message, 8)?),
            parent: Handle::from_u32(u32_at(message, 12)?),
            statistics: QdiscCounters { basic: QdiscStatistics::read(counters)?, of_kind },
        })
    }
}
